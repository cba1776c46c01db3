//! The host's system calls, the first instructions of the process and of its threads.

use crate::arch::thread::THREAD_FLAGS;
#[cfg(not(test))]
use crate::arch::upcall;
use core::arch::{asm, global_asm};
use linnet_host::nr;

/// Memories that nobody uses any more are unmapped so many at once. More may pay where the host has to
/// interrupt other CPUs, but an emulator such as QEMU's keeps 32 MiB for each memory ever used.
pub const UNMAP_BATCH: u32 = 1;

/// The host's name for this ISA (uapi/linux/audit.h).
pub const AUDIT_ARCH: u32 = 0xc000_00f3;

/// The host kernel's `struct sigaction`. Handlers return through the vDSO.
#[repr(C)]
#[derive(Debug)]
pub struct KernelSigaction {
    handler: usize,
    flags: usize,
    mask: u64,
    /// Where the mask is on other ISAs. QEMU's user mode emulation (7.2) takes it from here.
    mask_elsewhere: u64,
}

impl KernelSigaction {
    pub fn new(handler: usize, flags: usize) -> Self {
        KernelSigaction { handler, flags, mask: 0, mask_elsewhere: 0 }
    }

    pub fn handler(&self) -> usize {
        self.handler
    }
}

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

/// Start a host thread in `f(argument)` on the stack that ends at `top`. Negative errno on failure.
///
/// # Safety
/// The stack must stay the thread's own; `f` must not return.
pub unsafe fn spawn(top: usize, f: extern "C" fn(usize) -> !, argument: usize) -> isize {
    let result: isize;
    // SAFETY: the child continues at the same place with only the stack pointer changed and takes
    // the branch that never comes back here.
    unsafe {
        asm!(
            "ecall",
            "bnez a0, 2f",
            "li s0, 0",
            "mv a0, {argument}",
            "jalr {f}",
            "unimp",
            "2:",
            argument = in(reg) argument, f = in(reg) f as usize,
            in("a7") nr::CLONE,
            inlateout("a0") THREAD_FLAGS => result,
            in("a1") top & !15, in("a2") 0, in("a3") 0, in("a4") 0,
        );
    }
    result
}
