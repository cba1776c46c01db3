//! The runtime inside an executable that `linnet compile --exe` makes: WASI preview 1 on Linux's system calls.
//!
//! | file           | what it does                                                            |
//! |----------------|-------------------------------------------------------------------------|
//! | [`start`]      | from the process's start to the guest's, and how it ends                |
//! | [`options`]    | what the executable is told                                             |
//! | [`thread`]     | stacks and threads                                                      |
//! | [`table`]      | the functions that a module imports                                     |
//! | [`files`]      | `fd_*`                                                                  |
//! | [`paths`]      | `path_*`                                                                |
//! | [`poll`]       | `poll_oneoff`                                                           |
//! | [`socket`]     | `sock_*`                                                                |
//! | [`process`]    | `args_*`, `environ_*`, `clock_*`, `random_get`, `proc_*`, `sched_yield` |
//! | [`beneath`]    | paths that do not lead out of a directory                               |
//! | [`descriptor`] | the guest's descriptors and their rights                                |
//! | [`memory`]     | the guest's memory, checked                                             |
//! | [`errno`]      | error numbers                                                           |
//! | [`sys`]        | system calls of the host                                                |
//! | [`arch`]       | what differs between ISAs                                               |
//!
//! The guest is not trusted. All that it gives is a number: an address in its memory is checked in [`memory`], a
//! descriptor in [`descriptor`], a path in [`beneath`]. There is no C library and none of Rust's `std`; instances
//! and traps are `linnet-embed`'s.

#![no_std]

extern crate alloc;

mod arch;
mod beneath;
mod descriptor;
mod errno;
mod files;
mod memory;
mod options;
mod paths;
mod poll;
mod process;
mod socket;
mod start;
mod sys;
mod table;
mod thread;
