//! Changing the stack: between tasks, from user code to the kernel, to an exception handler.
//!
//! `.option arch, +d`: the assembler takes no floating-point registers for granted here.

use crate::arch::head::{TaskBlock, USER_SP};
use core::arch::{asm, naked_asm};

/// Where compiled code of the runtime keeps its caller's frame pointer and return address,
/// relative to its own frame pointer: right below it, where translated code has them right above.
pub const RUNTIME_FRAME: i64 = -16;

/// From `user_sp` to the frame pointer of a stub of `entry` that saves all registers, in which a forked child
/// goes on.
pub const SAVED_FRAME: usize = 208;

/// Save the callee-saved registers on this stack, its pointer at `save`, and go on at `to`. As soon as the
/// pointer is there, another vCPU may go on at it: nothing touches this stack any more.
///
/// The final jump is not a `ret`: the return-stack predictor would be wrong every time. The
/// rounding mode never changes.
///
/// # Safety
/// `to` must come from this function or from [`prepare_stack`], and be used once.
#[unsafe(naked)]
pub unsafe extern "C" fn switch(save: *mut usize, to: usize) {
    naked_asm!(
        ".option push",
        ".option arch, +d",
        "addi sp, sp, -208",
        "sd s0, 0(sp)",
        "sd ra, 8(sp)",
        "sd s1, 16(sp)",
        "sd s2, 24(sp)",
        "sd s3, 32(sp)",
        "sd s4, 40(sp)",
        "sd s5, 48(sp)",
        "sd s6, 56(sp)",
        "sd s7, 64(sp)",
        "sd s8, 72(sp)",
        "sd s9, 80(sp)",
        "sd s10, 88(sp)",
        "sd s11, 96(sp)",
        "fsd fs0, 104(sp)",
        "fsd fs1, 112(sp)",
        "fsd fs2, 120(sp)",
        "fsd fs3, 128(sp)",
        "fsd fs4, 136(sp)",
        "fsd fs5, 144(sp)",
        "fsd fs6, 152(sp)",
        "fsd fs7, 160(sp)",
        "fsd fs8, 168(sp)",
        "fsd fs9, 176(sp)",
        "fsd fs10, 184(sp)",
        "fsd fs11, 192(sp)",
        "fence rw, w",
        "sd sp, 0(a0)",
        "mv sp, a1",
        "ld s0, 0(sp)",
        "ld t1, 8(sp)",
        "ld s1, 16(sp)",
        "ld s2, 24(sp)",
        "ld s3, 32(sp)",
        "ld s4, 40(sp)",
        "ld s5, 48(sp)",
        "ld s6, 56(sp)",
        "ld s7, 64(sp)",
        "ld s8, 72(sp)",
        "ld s9, 80(sp)",
        "ld s10, 88(sp)",
        "ld s11, 96(sp)",
        "fld fs0, 104(sp)",
        "fld fs1, 112(sp)",
        "fld fs2, 120(sp)",
        "fld fs3, 128(sp)",
        "fld fs4, 136(sp)",
        "fld fs5, 144(sp)",
        "fld fs6, 152(sp)",
        "fld fs7, 160(sp)",
        "fld fs8, 168(sp)",
        "fld fs9, 176(sp)",
        "fld fs10, 184(sp)",
        "fld fs11, 192(sp)",
        "addi sp, sp, 208",
        "jr t1",
        ".option pop",
    )
}

#[unsafe(naked)]
unsafe extern "C" fn first_switch() {
    naked_asm!("mv a0, s1", "li s0, 0", "jalr s2", "unimp")
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
    let mut frame = [0; 26];
    frame[1] = first_switch as *const () as usize;
    frame[2] = task;
    frame[3] = f as usize;
    let sp = top - 16 - size_of_val(&frame);
    // SAFETY: the caller's promise. The words are s0, ra, s1 and s2, as `switch` has them.
    unsafe { (sp as *mut [usize; 26]).write(frame) };
    sp
}

/// Stack pointer that [`switch`] saved, to the frame pointer and program counter of its caller.
///
/// # Safety
/// The task must not be running.
pub unsafe fn switched_frame(sp: usize) -> (u64, u64) {
    let words = sp as *const u64;
    // SAFETY: `switch` left s0 and ra there.
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
        ".cfi_def_cfa s0, 0",
        ".cfi_offset ra, -8",
        ".cfi_offset s0, -16",
        "addi sp, sp, -16",
        "sd ra, 8(sp)",
        "sd s0, 0(sp)",
        "addi s0, sp, 16",
        "sd sp, {user_sp}(a0)",
        "mv sp, a0",
        "mv t0, a1",
        "mv a1, a2",
        "mv a2, a3",
        "jalr t0",
        "addi sp, s0, -16",
        "ld ra, 8(sp)",
        "ld s0, 0(sp)",
        "addi sp, sp, 16",
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
        ".cfi_undefined ra", // the outermost frame
        "mv sp, a2",
        "li s0, 0",
        "jalr a1",
        "unimp",
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
        "andi sp, a0, -16",
        "mv t0, a1",
        "mv a0, a2",
        "mv a1, a3",
        "mv a2, a4",
        "li s0, 0",
        "jalr t0",
        "unimp",
    )
}

/// Frame pointer of the calling function.
#[inline(always)]
pub fn frame_pointer() -> u64 {
    let fp;
    // SAFETY: reads a register.
    unsafe { asm!("mv {}, s0", out(reg) fp, options(nomem, nostack)) };
    fp
}

/// One round of a spin loop.
#[inline(always)]
pub fn spin_hint() {
    core::hint::spin_loop();
}
