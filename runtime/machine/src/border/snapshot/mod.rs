//! Snapshots of the machine: making one ([`freeze`]), and starting as one ([`thaw`]).
//!
//! | file       | what is there                                                   |
//! |------------|-----------------------------------------------------------------|
//! | `freeze`   | the host call: what is needed, and who gets the snapshot        |
//! | `body`     | what a snapshot tells of the machine but for its memory         |
//! | `frames`   | frames of a task to records, and back                           |
//! | `periodic` | snapshots that nobody asks for                                  |
//! | `rewind`   | which of several snapshots is the one to go back to             |
//! | `pages`    | guest memory                                                    |
//! | `file`     | a snapshot becomes a file                                       |
//! | `failed`   | why there is no snapshot                                        |
//! | `outgoing` | a machine that runs goes to another one that waits              |
//! | `incoming` | a machine that waits becomes another one                        |
//! | `thaw`     | a snapshot becomes a machine                                    |
//!
//! Linux has suspended itself when it asks for a snapshot: one vCPU is left, which runs the task that asks. All
//! other tasks are suspended in the host call `switch_to`. A task's frames are captured on both stacks, from the
//! host call outwards: in the kernel up to the stub or function that entered it, and in its program from there.
//! Between a program's frames may be those of the runtime that run a signal's handler: a host frame of the
//! record stands for them.
//!
//! A task that is resumed rebuilds its frames when it is switched to for the first time: those of its program,
//! of which the innermost enters the kernel stack and rebuilds the kernel's, of which the innermost returns from
//! the host call.

mod body;
mod failed;
mod file;
mod frames;
pub mod freeze;
pub mod incoming;
pub mod outgoing;
mod pages;
pub mod periodic;
pub mod rewind;
pub mod thaw;

/// Numbers of host frames in records.
mod host_frame {
    /// Innermost in the kernel: the host call `switch_to`, or `snapshot`. No words.
    pub const SWITCH_TO: u32 = 1;
    pub const SNAPSHOT: u32 = 2;
    /// Innermost in a program: the kernel. Its words are the [`Entry`](crate::task::Entry), and those of a
    /// handler if that is `Sigreturn`.
    pub const KERNEL: u32 = 3;
    /// A handler runs above; see [`HANDLER_WORDS`](super::HANDLER_WORDS).
    pub const HANDLER: u32 = 4;
}

/// Words of a handler: its `ucontext`, the shadow stack pointer of the interrupted code, the kind of child that
/// is to be made, and the five words of the thread.
const HANDLER_WORDS: usize = 8;
