//! RV64GC, the standard calling convention (lp64d).

#[cfg(not(test))]
mod entry;
mod frame;
mod host;
#[cfg(not(test))]
mod memory;
pub mod switch;

#[cfg(not(test))]
pub use entry::resume_forked;
pub use frame::Frame;
pub use host::*;
pub use switch::*;
