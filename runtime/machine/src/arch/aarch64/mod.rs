//! AArch64, the procedure call standard (AAPCS64).

#[cfg(not(test))]
mod entry;
mod frame;
mod host;
#[cfg(not(test))]
mod memory;
pub mod switch;

#[cfg(not(test))]
pub use entry::{
    call_for_frames, resume_forked, saved_by_host_call, user_call, user_call_for_frames,
};
pub use frame::Frame;
pub use host::*;
pub use switch::*;
