//! 64-bit RISC-V.

pub use crate::generic as nr;
use core::arch::asm;

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
