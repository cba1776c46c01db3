//! From the host's first instruction to the guest kernel's.

mod cpio;
pub mod entry;
mod options;
