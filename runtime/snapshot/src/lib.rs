//! A snapshot: a machine that was frozen, as a file.
//!
//! The same on every CPU, whoever wrote it. All numbers are little-endian, and all but the magic number and
//! hashes are words of 8 bytes.
//!
//! ```text
//!   header          at 0, 8 words: magic number; version; words of the body; its hash; where the pages are; where
//!                   the body is; two zeros
//!
//!   the body:
//!   machine         machine::COUNT words, see [`machine`]
//!   programs        count, and 4 words for each: the SHA-256 of its module
//!   memories        count, and the number of each memory that programs have
//!   tasks           count, and for each: task::COUNT words, see [`task`]; globals of kernel and program;
//!                   the record of its kernel frames, that of its program's
//!   names           count, and for each function that has a frame: number of its module (0 is the kernel, 1 the
//!                   first program) in the high half and of the function in the low half; bytes of its name;
//!                   the name, with zeros up to a whole word
//!   runs            count, and run::COUNT words for each, see [`run`]
//!
//!   the pages:      the bytes of all runs as they are stored, one after the other
//! ```
//!
//! Body and pages lie anywhere behind the header, and there may be more in the file: a new snapshot is written
//! beside the one that is there, and replaces it when the header is written.
//!
//! A machine that moves while it runs sends the same, in another order: see [`stream`].
//!
//! Hashes are XXH3-64, without a seed but for those of runs. They tell damage, and nothing else: whoever can write a snapshot can
//! make them fit. What a snapshot says is believed no more than what a guest's kernel says.
//! Guest memory that no run covers is zero. Records are those of [`linnet_abi::frames`].

#![no_std]
#![forbid(unsafe_code)]

mod pack;
mod read;
mod write;

pub use pack::{PACKED, pack};
pub use read::{Error, Header, Name, Run, Snapshot, Task, first_byte};
pub use write::{Full, Writer};

/// What a snapshot begins with.
pub const MAGIC: u64 = u64::from_le_bytes(*b"LINNETSN");

/// Version of the file.
pub const VERSION: u64 = 3;

/// Words of the header.
pub const HEADER: usize = 8;

/// Guest memory is written in runs of at most so many bytes, none of which lies across a multiple of them.
pub const RUN: usize = 1 << 14;

/// Body and pages begin at multiples of this in the file.
pub const ALIGN: u64 = 1 << 16;

/// Snapshots of itself that a machine keeps at most, in files of their own.
pub const MOST_FILES: usize = 32;

/// Disks that a machine can have.
pub const DISKS: usize = 16;

/// Slots of a module's globals.
pub const GLOBALS: usize = linnet_abi::context::GLOBAL_SLOTS;

/// A number that stands for nothing.
pub const NONE: u64 = u64::MAX;

/// Words about the machine.
pub mod machine {
    /// SHA-256 of the kernel's module, four words.
    pub const KERNEL: usize = 0;
    /// Bytes of guest memory, and the base-2 logarithm of the size of its pages.
    pub const MEMORY: usize = 4;
    pub const PAGE_SHIFT: usize = 5;
    pub const VCPUS: usize = 6;
    /// The clocks when it was frozen, in nanoseconds: since it started, and since 1970.
    pub const MONOTONIC: usize = 7;
    pub const REALTIME: usize = 8;
    /// The `task_struct` of the task that froze it.
    pub const CURRENT: usize = 9;
    /// Bytes of each disk, or [`NONE`](super::NONE).
    pub const DISKS: usize = 10;
    /// 1 if it had a network device, or 0.
    pub const NETWORK: usize = DISKS + super::DISKS;
    /// Where in guest memory it finds what it starts for (`linnet_abi::boot::Start`), or 0.
    pub const START: usize = NETWORK + 1;
    pub const COUNT: usize = START + 1;
}

/// Words about a task.
pub mod task {
    /// Address of its `task_struct`.
    pub const ID: usize = 0;
    /// The kernel's shadow stack pointer when its stack is empty.
    pub const SHADOW: usize = 1;
    /// Number of its memory.
    pub const MEMORY: usize = 2;
    /// Number of its program in the list, or [`NONE`](super::NONE).
    pub const PROGRAM: usize = 3;
    /// By which way it has entered the kernel.
    pub const ENTRY: usize = 4;
    /// How it begins in user mode: 0 a program, 1 copied frames, 2 a thread's function.
    pub const START: usize = 5;
    pub const IS_THREAD: usize = 6;
    /// What the kernel has asked for it, and waits.
    pub const ACTION: usize = 7;
    /// What kind of child it is about to make, and with which function: five words.
    pub const FORKING: usize = 8;
    pub const THREAD: usize = 9;
    /// A signal's handler that is to run: six words.
    pub const SIGNAL: usize = 14;
    /// A program that is to run: its memory, its number in the list, its stack pointer.
    pub const EXEC: usize = 20;
    /// Bytes of both records, or 0.
    pub const KERNEL_RECORD: usize = 23;
    pub const USER_RECORD: usize = 24;
    pub const COUNT: usize = 25;
}

/// Words about a run.
pub mod run {
    /// Offset in guest memory, and bytes there.
    pub const OFFSET: usize = 0;
    pub const SIZE: usize = 1;
    /// Bytes that are stored: as many if they are stored as they are, fewer if they are a block of LZ4, and none
    /// if all are zero.
    pub const STORED: usize = 2;
    /// Hash of the stored bytes, with a seed: the offset, with the size in its upper 24 bits.
    pub const HASH: usize = 3;
    pub const COUNT: usize = 4;
}

/// What two machines say to each other when one becomes the other.
///
/// ```text
///   the machine that runs                      the one that waits
///
///   hello: MAGIC, VERSION, SHA-256 of the
///   kernel's module, bytes of memory
///   RUN, run::COUNT words, stored bytes        lays it into its memory; a later run replaces what was there
///   ...
///   BODY, words of the body, their hash,
///   the body, which lists no runs              makes all that the body tells of
///                                              READY
///   GO                                         RUNS
///   ends                                       runs
/// ```
///
/// Words are those of the file. Until it has said GO, the one that runs can go on itself. Whoever gets nothing
/// back behind a GO does not know whether the other one runs, and must not.
pub mod stream {
    pub const MAGIC: u64 = u64::from_le_bytes(*b"LINNETMV");
    /// Words of the hello.
    pub const HELLO: usize = 7;
    /// Messages of the one that runs.
    pub const RUN: u64 = 1;
    pub const BODY: u64 = 2;
    pub const GO: u64 = 3;
    /// Those of the one that waits.
    pub const READY: u64 = 4;
    pub const RUNS: u64 = 5;
}

/// That of a run, which also tells whether it is where it was.
fn run_hash(offset: u64, size: u64, stored: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot_with_seed(offset ^ size << 40, stored)
}

/// XXH3-64 without a seed.
#[must_use]
pub fn hash(bytes: &[u8]) -> u64 {
    twox_hash::XxHash3_64::oneshot(bytes)
}
