//! The host's system calls, the first instructions of the process and of its threads.

#[cfg(not(test))]
use crate::arch::upcall;
use core::arch::global_asm;

/// Memories that nobody uses any more are unmapped so many at once. More may pay where the host has to
/// interrupt other CPUs, but an emulator such as QEMU's keeps 32 MiB for each memory ever used.
pub const UNMAP_BATCH: u32 = 1;

// The host starts the process with argc at the stack pointer.
#[cfg(not(test))]
global_asm!(
    ".globl _start",
    "_start:",
    "li s0, 0",
    "li ra, 0",
    "mv a0, sp",
    "call {main}",
    "unimp",
    main = sym upcall::start,
);
