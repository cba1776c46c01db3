//! 64-bit RISC-V.

pub use crate::generic as nr;
use core::arch::asm;

/// The host's name for this ISA (uapi/linux/audit.h).
pub const AUDIT_ARCH: u32 = 0xc000_00f3;

/// Make a system call of the host.
///
/// # Safety
/// What the call does to memory must be what its caller may do.
#[inline(always)]
pub unsafe fn syscall(nr: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the instruction changes a0 only; its effect on memory is the caller's duty.
    unsafe {
        asm!(
            "ecall",
            in("a7") nr,
            inlateout("a0") a[0] => result,
            in("a1") a[1], in("a2") a[2], in("a3") a[3], in("a4") a[4], in("a5") a[5],
            options(nostack),
        );
    }
    result
}

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
    /// Run `handler` at a signal, with these flags and nothing more blocked.
    #[must_use]
    pub fn new(handler: usize, flags: usize) -> Self {
        KernelSigaction { handler, flags, mask: 0, mask_elsewhere: 0 }
    }

    /// The same with these signals blocked meanwhile, bit n - 1 for signal n.
    #[must_use]
    pub fn blocking(mut self, signals: u64) -> Self {
        (self.mask, self.mask_elsewhere) = (signals, signals);
        self
    }

    #[must_use]
    pub fn handler(&self) -> usize {
        self.handler
    }
}

/// Start a thread in `f(argument)` on the stack that ends at `top`, with these flags of `clone`; the word at
/// `cleared` is what they may say. Negative errno on failure.
///
/// # Safety
/// The stack must stay the thread's own; `f` must not return. Flags and word must be for a thread.
pub unsafe fn spawn(
    flags: usize,
    top: usize,
    f: extern "C" fn(usize) -> !,
    argument: usize,
    cleared: usize,
) -> isize {
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
            inlateout("a0") flags => result,
            in("a1") top & !15, in("a2") 0, in("a3") 0, in("a4") cleared,
        );
    }
    result
}
