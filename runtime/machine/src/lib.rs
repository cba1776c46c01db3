//! The runtime inside a boot binary: it plays CPU, MMU and devices for a translated Linux.
//!
//! | floor      | part of the machine                                                          |
//! |------------|------------------------------------------------------------------------------|
//! | [`boot`]   | from the process's start to the kernel's: options, contents of the executable |
//! | [`border`] | host calls, entries of the kernel, faults, the way back to user code         |
//! | [`device`] | console, disks                                                               |
//! | [`cpu`]    | vCPUs, interrupts, timers                                                    |
//! | [`task`]   | tasks and their native stacks, fork, user contexts                           |
//! | [`memory`] | guest memory, where it lies, and the host mappings that are its TLB          |
//! | [`host`]   | the little that is used of the host: system calls, clock, terminal, sandbox  |
//! | [`arch`]   | what differs between the ISAs: machine code, layouts of registers            |
//!
//! There is no allocator, no libc, no thread-local storage: a task's frames may continue on another
//! host thread, so nothing of a thread may be remembered across a switch.

// Tests are compiled with panics that unwind, which need the standard library.
#![cfg_attr(panic = "abort", no_std)]
#![cfg_attr(
    test,
    allow(
        dead_code,
        unused_imports,
        reason = "the border, which calls most of it, has no tests here"
    )
)]

// Modules that were translated with frames as data refer to a symbol of it.
use linnet_frames as _;

mod arch;
mod boot;
#[cfg(not(test))]
mod border;
mod cpu;
mod device;
mod host;
mod memory;
mod task;
