//! The host's system calls, the first instructions of the process and of its threads.

#[cfg(not(test))]
use crate::arch::upcall;
use core::arch::{global_asm, naked_asm};
use linnet_host::nr;

/// Memories that nobody uses any more are unmapped so many at once: other CPUs hear of it without an
/// interrupt.
pub const UNMAP_BATCH: u32 = 1;

/// The host's name for this ISA (uapi/linux/audit.h).
pub const AUDIT_ARCH: u32 = 0xc000_00b7;

/// The host kernel's `struct sigaction`.
#[repr(C)]
#[derive(Debug)]
pub struct KernelSigaction {
    handler: usize,
    flags: usize,
    restorer: usize,
    mask: u64,
}

impl KernelSigaction {
    pub fn new(handler: usize, flags: usize) -> Self {
        const SA_RESTORER: usize = 0x0400_0000;
        let restorer = signal_restorer as *const () as usize;
        KernelSigaction { handler, flags: flags | SA_RESTORER, restorer, mask: 0 }
    }

    pub fn handler(&self) -> usize {
        self.handler
    }
}

#[unsafe(naked)]
unsafe extern "C" fn signal_restorer() {
    naked_asm!("mov x8, {nr}", "svc #0", nr = const nr::RT_SIGRETURN)
}

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
