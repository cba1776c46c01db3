//! AArch64, the procedure call standard (AAPCS64).

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
