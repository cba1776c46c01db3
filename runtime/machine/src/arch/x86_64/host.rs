//! The host's system calls, the first instructions of the process and of its threads.

#[cfg(not(test))]
use crate::arch::upcall;
use core::arch::global_asm;

/// Memories that nobody uses any more are unmapped so many at once: most of what that takes is to
/// interrupt the host's other CPUs, a multiple of what else it takes to end a small process.
pub const UNMAP_BATCH: u32 = 64;

// The host starts the process with argc at the stack pointer.
#[cfg(not(test))]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {main}",
    "ud2",
    main = sym upcall::start,
);
