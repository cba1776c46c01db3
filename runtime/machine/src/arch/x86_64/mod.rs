//! x86-64, the System V calling convention.

mod entry;
mod frame;
mod host;
mod memory;
pub mod switch;

pub use entry::resume_forked;
pub use frame::Frame;
pub use host::*;
pub use switch::*;
