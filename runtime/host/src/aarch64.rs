//! 64-bit Arm.

pub use crate::generic as nr;
use core::arch::{asm, naked_asm};

/// The host's name for this ISA (uapi/linux/audit.h).
pub const AUDIT_ARCH: u32 = 0xc000_00b7;

/// Make a system call of the host.
///
/// # Safety
/// What the call does to memory must be what its caller may do.
#[inline(always)]
pub unsafe fn syscall(nr: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the instruction changes x0 only; its effect on memory is the caller's duty.
    unsafe {
        asm!(
            "svc #0",
            in("x8") nr,
            inlateout("x0") a[0] => result,
            in("x1") a[1], in("x2") a[2], in("x3") a[3], in("x4") a[4], in("x5") a[5],
            options(nostack),
        );
    }
    result
}

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
    /// Run `handler` at a signal, with these flags and nothing more blocked.
    #[must_use]
    pub fn new(handler: usize, flags: usize) -> Self {
        const SA_RESTORER: usize = 0x0400_0000;
        let restorer = signal_restorer as *const () as usize;
        KernelSigaction { handler, flags: flags | SA_RESTORER, restorer, mask: 0 }
    }

    /// The same with these signals blocked meanwhile, bit n - 1 for signal n.
    #[must_use]
    pub fn blocking(mut self, signals: u64) -> Self {
        self.mask = signals;
        self
    }

    #[must_use]
    pub fn handler(&self) -> usize {
        self.handler
    }
}

#[unsafe(naked)]
unsafe extern "C" fn signal_restorer() {
    naked_asm!("mov x8, {nr}", "svc #0", nr = const nr::RT_SIGRETURN)
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
            "svc #0",
            "cbnz x0, 2f",
            "mov x29, #0",
            "mov x30, #0",
            "mov x0, {argument}",
            "blr {f}",
            "udf #0",
            "2:",
            argument = in(reg) argument, f = in(reg) f as usize,
            in("x8") nr::CLONE,
            inlateout("x0") flags => result,
            in("x1") top & !15, in("x2") 0, in("x3") 0, in("x4") cleared,
        );
    }
    result
}
