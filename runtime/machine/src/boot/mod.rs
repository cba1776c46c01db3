//! From the host's first instruction to the guest kernel's.

mod cpio;
#[cfg(not(test))]
pub mod entry;
#[cfg(not(test))]
mod migration;
mod network;
mod options;
mod restart;
mod shares;
#[cfg(not(test))]
mod translator;
