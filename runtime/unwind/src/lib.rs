//! Walks the native frames of translated code: for exceptions, for traces, and to capture frames.
//!
//! | file       | what it does                                                              |
//! |------------|---------------------------------------------------------------------------|
//! | [`tables`] | what the translator says of a module's code: functions, handlers, traps   |
//! | [`walk`]   | from frame to frame, up to one that catches an exception                  |
//! | [`arch`]   | callee-saved registers of each ISA, and the jump to a handler             |
//!
//! Every frame has a frame pointer, with the caller's and the return address above it, so that a walk needs
//! no tables. An exception needs the module's call sites, to find handlers, and what prologues saved, to
//! restore what a frame had in its callee-saved registers when it made the call.
//!
//! There is no operating system here, no allocation and no lock: a signal handler may use all of it.

#![no_std]

pub mod arch;
pub mod tables;
pub mod walk;

pub use arch::CalleeSaved;
pub use tables::{Place, Tables};
pub use walk::{Landing, Position, Walk};
