//! 64-bit Arm.

pub use crate::generic as nr;
use core::arch::asm;

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
