//! Changing the stack: between tasks, from user code to the kernel, to an exception handler.

use crate::arch::head::{TaskBlock, USER_SP};
use core::arch::{asm, naked_asm};

/// Where compiled code of the runtime keeps its caller's frame pointer and return address,
/// relative to its own frame pointer.
pub const RUNTIME_FRAME: i64 = 0;

/// From `user_sp` to the frame pointer of a stub of `entry` that saves all registers, in which a forked child
/// goes on.
pub const SAVED_FRAME: usize = 48;

/// Save the callee-saved registers on this stack, its pointer at `save`, and go on at `to`. As soon as the
/// pointer is there, another vCPU may go on at it: nothing touches this stack any more.
///
/// The final jump is not a `ret`: the return-stack predictor would be wrong every time. MXCSR and
/// the x87 control word never change.
///
/// # Safety
/// `to` must come from this function or from [`prepare_stack`], and be used once.
#[unsafe(naked)]
pub unsafe extern "C" fn switch(save: *mut usize, to: usize) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "pop rcx",
        "jmp rcx",
    )
}

#[unsafe(naked)]
unsafe extern "C" fn first_switch() {
    naked_asm!("mov rdi, rbx", "xor ebp, ebp", "call r12", "ud2")
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
    let frame: [usize; 7] = [0, 0, 0, f as usize, task, 0, first_switch as *const () as usize];
    let sp = top - 16 - size_of_val(&frame);
    // SAFETY: the caller's promise. The words are r15, r14, r13, r12, rbx, rbp, return address.
    unsafe { (sp as *mut [usize; 7]).write(frame) };
    sp
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
        ".cfi_def_cfa rbp, 16",
        ".cfi_offset rbp, -16",
        "push rbp",
        "mov rbp, rsp",
        "mov [rdi + {user_sp}], rsp",
        "mov rsp, rdi",
        "mov rax, rsi",
        "mov rsi, rdx",
        "mov rdx, rcx",
        "call rax",
        "mov rsp, rbp",
        "pop rbp",
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
        ".cfi_undefined rip", // the outermost frame
        "mov rsp, rdx",
        "xor ebp, ebp",
        "call rsi",
        "ud2",
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
        "and rdi, -16",
        "mov rsp, rdi",
        "mov rax, rsi",
        "mov rdi, rdx",
        "mov rsi, rcx",
        "mov rdx, r8",
        "xor ebp, ebp",
        "call rax",
        "ud2",
    )
}

/// Frame pointer of the calling function.
#[inline(always)]
pub fn frame_pointer() -> u64 {
    let fp;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rbp", out(reg) fp, options(nomem, nostack)) };
    fp
}

/// Stack pointer that [`switch`] saved, to the frame pointer and program counter of its caller.
///
/// # Safety
/// The task must not be running.
pub unsafe fn switched_frame(sp: usize) -> (u64, u64) {
    let words = sp as *const u64;
    // SAFETY: `switch` left r15, r14, r13, r12, rbx, rbp and the return address there.
    unsafe { (*words.add(5), *words.add(6)) }
}

/// One round of a spin loop.
#[inline(always)]
pub fn spin_hint() {
    core::hint::spin_loop();
}
