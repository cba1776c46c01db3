//! Between guest and runtime: host calls, entries of the kernel, faults, and the way back to user code.

mod clock;
pub mod fault;
mod hostcall;
pub mod kernel;
mod libcall;
mod ucontext;
mod unwind;
pub mod user;
