//! Between guest and runtime: host calls, entries of the kernel, faults, and the way back to user code.

pub mod clock;
pub mod fault;
pub mod hostcall;
pub mod kernel;
mod libcall;
pub mod snapshot;
mod ucontext;
mod unwind;
pub mod user;
