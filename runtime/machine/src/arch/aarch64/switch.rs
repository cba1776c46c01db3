//! Changing the stack: between tasks, from user code to the kernel, to an exception handler.

use crate::arch::head::{TaskBlock, USER_SP};
use core::arch::{asm, naked_asm};

/// Where compiled code of the runtime keeps its caller's frame pointer and return address,
/// relative to its own frame pointer.
pub const RUNTIME_FRAME: i64 = 0;

/// From `user_sp` to the frame pointer of a stub of `entry` that saves all registers, in which a forked child
/// goes on.
pub const SAVED_FRAME: usize = 0;

/// Save the callee-saved registers on this stack, its pointer at `save`, and go on at `to`. As soon as the
/// pointer is there, another vCPU may go on at it: nothing touches this stack any more.
///
/// The final jump is not a `ret`: the return-stack predictor would be wrong every time. FPCR never
/// changes.
///
/// # Safety
/// `to` must come from this function or from [`prepare_stack`], and be used once.
#[unsafe(naked)]
pub unsafe extern "C" fn switch(save: *mut usize, to: usize) {
    naked_asm!(
        "sub sp, sp, #160",
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
        "mov x9, sp",
        "stlr x9, [x0]",
        "mov sp, x1",
        "ldp x29, x30, [sp]",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "add sp, sp, #160",
        "br x30",
    )
}

#[unsafe(naked)]
unsafe extern "C" fn first_switch() {
    naked_asm!("mov x0, x19", "mov x29, #0", "mov x30, #0", "blr x20", "udf #0")
}

/// Lay out an empty stack so that [`switch`] to the result calls `f(task)`.
///
/// # Safety
/// `top` must be the end of a mapped stack that nobody uses, 16-aligned.
pub unsafe fn prepare_stack<T: TaskBlock>(
    top: usize,
    f: extern "C" fn(&'static T) -> !,
    task: usize,
) -> usize {
    let mut frame = [0; 20];
    frame[1] = first_switch as *const () as usize;
    frame[2] = task;
    frame[3] = f as usize;
    let sp = top - 16 - size_of_val(&frame);
    // SAFETY: the caller's promise. The words are x29, x30, x19 and x20, as `switch` has them.
    unsafe { (sp as *mut [usize; 20]).write(frame) };
    sp
}

/// Stack pointer that [`switch`] saved, to the frame pointer and program counter of its caller.
///
/// # Safety
/// The task must not be running.
pub unsafe fn switched_frame(sp: usize) -> (u64, u64) {
    let words = sp as *const u64;
    // SAFETY: `switch` left x29 and x30 there.
    unsafe { (*words, *words.add(1)) }
}

/// Call `f(task, a, b)` on the task's empty kernel stack; to be called on its user stack.
///
/// # Safety
/// No frame on the kernel stack may be needed any more.
#[unsafe(naked)]
pub unsafe extern "C" fn call_on_kernel_stack<T: TaskBlock>(
    task: &T,
    f: extern "C" fn(&T, u64, u64) -> u64,
    a: u64,
    b: u64,
) -> u64 {
    naked_asm!(
        // As for the stubs in `entry`.
        ".cfi_startproc",
        ".cfi_signal_frame",
        ".cfi_def_cfa x29, 16",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "str x29, [x0, {user_sp}]",
        "mov sp, x0",
        "mov x9, x1",
        "mov x1, x2",
        "mov x2, x3",
        "blr x9",
        "mov sp, x29",
        "ldp x29, x30, [sp], #16",
        "ret",
        ".cfi_endproc",
        user_sp = const USER_SP,
    )
}

/// Leave whatever stack this is and call `f(task)` on an empty one that ends at `top`.
///
/// # Safety
/// Nothing on the stacks that are left may be needed any more.
#[unsafe(naked)]
pub unsafe extern "C" fn enter_user<T: TaskBlock>(
    task: &T,
    f: extern "C" fn(&T) -> !,
    top: usize,
) -> ! {
    naked_asm!(
        ".cfi_startproc",
        ".cfi_undefined x30", // the outermost frame
        "mov sp, x2",
        "mov x29, #0",
        "mov x30, #0",
        "blr x1",
        "udf #0",
        ".cfi_endproc",
    )
}

/// Call `f(a, b, c)` below `sp`, never to return here.
///
/// # Safety
/// `sp` must lie in a mapped stack, with nothing needed below it.
#[unsafe(naked)]
pub unsafe extern "C" fn jump_to(
    sp: usize,
    f: extern "C" fn(usize, usize, usize) -> !,
    a: usize,
    b: usize,
    c: usize,
) -> ! {
    naked_asm!(
        "and x9, x0, #0xfffffffffffffff0",
        "mov sp, x9",
        "mov x9, x1",
        "mov x0, x2",
        "mov x1, x3",
        "mov x2, x4",
        "mov x29, #0",
        "mov x30, #0",
        "blr x9",
        "udf #0",
    )
}

/// Frame pointer of the calling function.
#[inline(always)]
pub fn frame_pointer() -> u64 {
    let fp;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, x29", out(reg) fp, options(nomem, nostack)) };
    fp
}

/// One round of a spin loop.
#[inline(always)]
pub fn spin_hint() {
    core::hint::spin_loop();
}
