//! From the host's first instruction to the guest kernel's.

mod cpio;
pub mod entry;
pub mod image;
mod options;
