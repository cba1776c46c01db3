use crate::{guest, throw};
use core::arch::{asm, global_asm, naked_asm};
use linnet_frames::arch::CalleeSaved;

/// Makes a system call of the host.
///
/// # Safety
/// What the call does to memory must be what its caller may do.
pub unsafe fn syscall(nr: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the instruction changes x0.
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

global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, #0",
    "mov x30, #0",
    "mov x19, sp",
    "bl {stack}",
    "mov sp, x0",
    "mov x0, x19",
    "bl {start}",
    "udf #0",
    // A call with up to four arguments; the function gets the caller's position as one more.
    ".macro boundary name, argument, function",
    ".globl \\name",
    "\\name:",
    "sub sp, sp, #176",
    "stp x29, x30, [sp]",
    "stp x19, x20, [sp, #16]",
    "stp x21, x22, [sp, #32]",
    "stp x23, x24, [sp, #48]",
    "stp x25, x26, [sp, #64]",
    "stp x27, x28, [sp, #80]",
    "stp d8, d9, [sp, #96]",
    "stp d10, d11, [sp, #112]",
    "stp d12, d13, [sp, #128]",
    "stp d14, d15, [sp, #144]",
    "stp x29, x30, [sp, #160]",
    "add x29, sp, #160",
    "mov \\argument, sp",
    "bl \\function",
    "ldp x29, x30, [sp, #160]",
    "add sp, sp, #176",
    "ret",
    ".endm",
    "boundary linnet_user_syscall, x4, {host_call}",
    "boundary linnet_libcall_atomic_wait32, x4, {wait32}",
    "boundary linnet_libcall_throw, x1, {throw}",
    ".globl linnet_libcall_poll",
    "linnet_libcall_poll:",
    "sub sp, sp, #848",
    "stp x29, x30, [sp]",
    "stp x19, x20, [sp, #16]",
    "stp x21, x22, [sp, #32]",
    "stp x23, x24, [sp, #48]",
    "stp x25, x26, [sp, #64]",
    "stp x27, x28, [sp, #80]",
    "stp d8, d9, [sp, #96]",
    "stp d10, d11, [sp, #112]",
    "stp d12, d13, [sp, #128]",
    "stp d14, d15, [sp, #144]",
    "stp x0, x1, [sp, #160]",
    "stp x2, x3, [sp, #176]",
    "stp x4, x5, [sp, #192]",
    "stp x6, x7, [sp, #208]",
    "stp x8, x9, [sp, #224]",
    "stp x10, x11, [sp, #240]",
    "stp x12, x13, [sp, #256]",
    "stp x14, x15, [sp, #272]",
    "stp x16, x17, [sp, #288]",
    "str x18, [sp, #304]",
    "stp q0, q1, [sp, #336]",
    "stp q2, q3, [sp, #368]",
    "stp q4, q5, [sp, #400]",
    "stp q6, q7, [sp, #432]",
    "stp q8, q9, [sp, #464]",
    "stp q10, q11, [sp, #496]",
    "stp q12, q13, [sp, #528]",
    "stp q14, q15, [sp, #560]",
    "stp q16, q17, [sp, #592]",
    "stp q18, q19, [sp, #624]",
    "stp q20, q21, [sp, #656]",
    "stp q22, q23, [sp, #688]",
    "stp q24, q25, [sp, #720]",
    "stp q26, q27, [sp, #752]",
    "stp q28, q29, [sp, #784]",
    "stp q30, q31, [sp, #816]",
    "stp x29, x30, [sp, #312]",
    "add x29, sp, #312",
    "mov x1, sp",
    "bl {poll}",
    "ldp x0, x1, [sp, #160]",
    "ldp x2, x3, [sp, #176]",
    "ldp x4, x5, [sp, #192]",
    "ldp x6, x7, [sp, #208]",
    "ldp x8, x9, [sp, #224]",
    "ldp x10, x11, [sp, #240]",
    "ldp x12, x13, [sp, #256]",
    "ldp x14, x15, [sp, #272]",
    "ldp x16, x17, [sp, #288]",
    "ldr x18, [sp, #304]",
    "ldp q0, q1, [sp, #336]",
    "ldp q2, q3, [sp, #368]",
    "ldp q4, q5, [sp, #400]",
    "ldp q6, q7, [sp, #432]",
    "ldp q8, q9, [sp, #464]",
    "ldp q10, q11, [sp, #496]",
    "ldp q12, q13, [sp, #528]",
    "ldp q14, q15, [sp, #560]",
    "ldp q16, q17, [sp, #592]",
    "ldp q18, q19, [sp, #624]",
    "ldp q20, q21, [sp, #656]",
    "ldp q22, q23, [sp, #688]",
    "ldp q24, q25, [sp, #720]",
    "ldp q26, q27, [sp, #752]",
    "ldp q28, q29, [sp, #784]",
    "ldp q30, q31, [sp, #816]",
    "ldp x29, x30, [sp, #312]",
    "add sp, sp, #848",
    "ret",
    stack = sym crate::sys::stack,
    start = sym crate::start,
    host_call = sym guest::host_call,
    wait32 = sym guest::wait32,
    throw = sym throw::throw,
    poll = sym guest::poll,
);

/// Enters an exception handler at `pc`.
///
/// # Safety
/// `pc` must be a landing pad of the frame that `sp` and `fp` describe, and `saved` what that frame had in
/// the callee-saved registers at its call.
#[unsafe(naked)]
pub unsafe extern "C" fn enter_handler(pc: u64, sp: u64, fp: u64, saved: &CalleeSaved) -> ! {
    naked_asm!(
        "mov sp, x1",
        "mov x29, x2",
        "mov x10, x0",
        "ldp x19, x20, [x3, #0]",
        "ldp x21, x22, [x3, #16]",
        "ldp x23, x24, [x3, #32]",
        "ldp x25, x26, [x3, #48]",
        "ldp x27, x28, [x3, #64]",
        "ldp d8, d9, [x3, #80]",
        "ldp d10, d11, [x3, #96]",
        "ldp d12, d13, [x3, #112]",
        "ldp d14, d15, [x3, #128]",
        "br x10",
    )
}
