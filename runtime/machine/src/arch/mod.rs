//! What differs between the ISAs: one directory for each, with the same files and items.
//!
//! | file     | items                                                                             |
//! |----------|-----------------------------------------------------------------------------------|
//! | `host`   | `UNMAP_BATCH`, `spawn`, the symbol `_start`                                       |
//! | `switch` | `switch`, `prepare_stack`, `switched_frame`: symmetric switch of kernel stacks     |
//! |          | `frame_pointer`, `RUNTIME_FRAME`: to walk frames                                   |
//! |          | `call_on_kernel_stack`, `enter_user`, `jump_to`: other ways to change the stack    |
//! | `entry`  | `linnet_user_*`, `linnet_libcall_{poll,throw}`, `resume_forked`                    |
//! | `memory` | `linnet_libcall_memory_{copy,fill}`, `memcpy` and the like                         |
//! | `frame`  | `Frame`, a host signal frame: what it says, moving it, returning through it        |
//!
//! | file        | items for all ISAs                                                          |
//! |-------------|-----------------------------------------------------------------------------|
//! | `head`      | what assembly knows of a task                                                |
//! | `upcall`    | the table of the functions above that assembly calls                         |
//! | `activation`| interrupted user code                                                        |
//!
//! # Stacks
//!
//! A task has two native stacks in one region, found from either by masking the stack pointer. A program's
//! code finds its context so after each call (the translator's pass `relocate`):
//!
//! ```text
//!   region + REGION_SIZE   +---------------------------+
//!                          | Task: context, saved sps  |  one page
//!   task (kernel stack top)+---------------------------+
//!                          | kernel stack, grows down  |
//!                          +---------------------------+
//!                          | hole                      |
//!   region + USER_TOP      +---------------------------+
//!                          | user stack, grows down    |
//!                          +---------------------------+
//!                          | reserve, see `make_room`  |  256 KiB
//!                          +---------------------------+
//!                          | hole                      |  64 KiB
//!                          +---------------------------+
//!                          | context of the program    |  20 KiB, for results that registers have no room for
//!   region                 +---------------------------+
//! ```
//!
//! User code enters the kernel always on an empty kernel stack: the entry stubs set the stack
//! pointer to the address of the task, call the kernel, and come back to the user stack. If the
//! kernel asked for something meanwhile (a signal handler, another program), it is done from the
//! stub, on the user stack, by `user::run_actions`.

mod activation;
pub mod head;
mod thread;
pub mod upcall;

pub use activation::{Activation, Handler, Interrupted};
pub use head::{TaskBlock, ThreadRequest};
pub use thread::{THREAD_FLAGS, spawn};

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "riscv64")]
pub use riscv64::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;
