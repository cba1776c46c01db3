//! x86-64, the System V calling convention.

mod entry;
mod frame;
mod host;
mod memory;
pub mod switch;

pub use entry::{SAVED_FRAME, resume_forked};
pub use frame::Frame;
pub use host::*;
pub use switch::*;
