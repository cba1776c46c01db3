//! What the library needs of its host: memory, waiting, threads, signals.
//!
//! | file       | what it does                                                                   |
//! |------------|--------------------------------------------------------------------------------|
//! | [`memory`] | mappings                                                                       |
//! | [`lock`]   | locks, and threads that wait for each other                                    |
//! | `libc`     | threads and signals of a process that has a C library (the feature `std`)      |
//! | `bare`     | the same of one that has none: `linnet-wasi`, which makes threads by itself    |

pub(crate) mod lock;
pub(crate) mod memory;

pub(crate) mod bare;
#[cfg(feature = "std")]
mod libc;

#[cfg(not(feature = "std"))]
use bare as with;
#[cfg(feature = "std")]
use libc as with;

pub(crate) use with::{install, prepare_thread, thread};

use crate::trap::Activation;
use core::cell::Cell;
use core::ptr;

/// What the library knows of a thread.
#[derive(Debug)]
pub struct Thread {
    /// The innermost call into translated code.
    pub(crate) current: Cell<*mut Activation>,
    /// Lowest address that the stack may reach; 0: not known yet.
    pub(crate) stack_limit: Cell<u64>,
    /// Whether its signals are handled.
    pub(crate) is_ready: Cell<bool>,
}

impl Thread {
    /// A thread that has called nothing yet, with the lowest address of its stack, or 0.
    #[must_use]
    pub const fn new(stack_limit: u64) -> Thread {
        Thread {
            current: Cell::new(ptr::null_mut()),
            stack_limit: Cell::new(stack_limit),
            is_ready: Cell::new(false),
        }
    }
}

/// Signals that can be traps.
pub(crate) const SIGNALS: [i32; 5] = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP];
pub(crate) const SIGILL: i32 = 4;
pub(crate) const SIGTRAP: i32 = 5;
pub(crate) const SIGBUS: i32 = 7;
pub(crate) const SIGFPE: i32 = 8;
pub(crate) const SIGSEGV: i32 = 11;

/// Handles a signal: its number, the address that it is about and the host's frame. Says whether it was ours.
pub(crate) type Handler = fn(i32, u64, usize) -> bool;
