//! The host's system calls, the first instructions of the process and of its threads.

#[cfg(not(test))]
use crate::arch::upcall;
use core::arch::global_asm;

/// Memories that nobody uses any more are unmapped so many at once: other CPUs hear of it without an
/// interrupt.
pub const UNMAP_BATCH: u32 = 1;

// The host starts the process with argc at the stack pointer.
#[cfg(not(test))]
global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, #0",
    "mov x30, #0",
    "mov x0, sp",
    "bl {main}",
    "udf #0",
    main = sym upcall::start,
);
