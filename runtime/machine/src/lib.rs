//! The runtime inside a boot binary: it plays CPU, MMU and devices for a translated Linux.
//!
//! | file                          | part of the machine                                       |
//! |-------------------------------|-----------------------------------------------------------|
//! | [`entry`], `options`, `cpio`  | from the process's start to the kernel's                  |
//! | `task`, `arch`                | tasks and their native stacks                             |
//! | `vcpu`, `timer`, `clock`      | vCPUs, interrupts, time                                   |
//! | `ram`, `tlb`                  | guest memory and its mappings                             |
//! | `space`, `turn`               | where it lies; memories that share a place                |
//! | `fault`, `user`, `unwind`     | into the kernel by fault or trap, out of it, exceptions   |
//! | `stdio`, `terminal`           | the console                                               |
//! | `virtio`                      | disks                                                     |
//! | `sandbox`                     | what the process gives up before the guest runs           |
//! | `host`, `libcall`, `kernel`   | the calls between kernel, translated code and runtime     |
//! | `sys`, `lock`, `print`        | the little that is used of the host                       |
//!
//! There is no allocator, no libc, no thread-local storage: a task's frames may continue on another
//! host thread, so nothing of a thread may be remembered across a switch.

#![no_std]

// Modules that were translated with frames as data refer to a symbol of it.
use linnet_frames as _;

mod arch;
mod boot;
mod clock;
mod contexts;
mod cpio;
mod entry;
mod exit;
mod fault;
mod handles;
mod host;
mod kernel;
mod libcall;
mod lock;
mod options;
mod print;
mod ram;
mod sandbox;
mod space;
mod stdio;
mod sys;
mod task;
mod terminal;
mod timer;
mod tlb;
mod turn;
mod unwind;
mod user;
mod vcpu;
mod virtio;
