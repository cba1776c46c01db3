//! RV64GC, the standard calling convention (lp64d).

mod entry;
mod frame;
mod host;
mod memory;
pub mod switch;

pub use entry::{SAVED_FRAME, resume_forked};
pub use frame::Frame;
pub use host::*;
pub use switch::*;
