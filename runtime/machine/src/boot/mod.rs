//! From the host's first instruction to the guest kernel's.

mod cpio;
#[cfg(not(test))]
pub mod entry;
mod options;
mod restart;
