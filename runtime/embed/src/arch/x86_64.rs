//! x86-64.

use crate::trap::Activation;
use core::arch::{global_asm, naked_asm};
use linnet_abi::instance::Slot;

/// Where registers lie, from the address of the ucontext (arch/x86/include/uapi/asm/sigcontext.h).
pub(super) mod offset {
    pub(crate) const PC: usize = 168;
    pub(crate) const SP: usize = 160;
    pub(crate) const FP: usize = 120;
    /// rdi
    pub(crate) const ARGUMENT: usize = 104;
    /// rsi is behind it.
    pub(crate) const NEXT_ARGUMENT: usize = 8;
}

/// Calls `enter(context, code, values)` and returns 0, unless [`leave`] ends the call.
///
/// # Safety
/// The arguments must be those of a function of translated code.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn enter(
    activation: *mut Activation,
    enter: *const u8,
    context: *mut u8,
    code: *const u8,
    values: *mut Slot,
) -> u64 {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        ".cfi_offset rbx, -24",
        ".cfi_offset r12, -32",
        ".cfi_offset r13, -40",
        ".cfi_offset r14, -48",
        ".cfi_offset r15, -56",
        "sub rsp, 8",
        "mov [rdi], rsp", // Activation::sp
        "mov rax, rsi",
        "mov rdi, rdx",
        "mov rsi, rcx",
        "mov rdx, r8",
        "call rax",
        "xor eax, eax",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// Ends the call of [`enter`] that saved `sp`; it returns `status`.
///
/// # Safety
/// The frames in between must not be needed: only translated code's, and some of ours.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn leave(sp: u64, status: u64) -> ! {
    naked_asm!(
        "mov rsp, rdi",
        "mov rax, rsi",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

global_asm!(
    // fn(instance, exception): the registers and the frame, for the search.
    ".globl linnet_libcall_instance_throw",
    "linnet_libcall_instance_throw:",
    "push rbp",
    "mov rbp, rsp",
    "push r15", "push r14", "push r13", "push r12", "push rbx",
    "mov rdi, rsi",
    "mov rsi, rsp",
    "mov rdx, rbp",
    "and rsp, -16",
    "call {throw}",
    "ud2",
    // fn(host function, values): what it wants thrown is thrown from here.
    ".globl linnet_embed_host",
    "linnet_embed_host:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "call {host}",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "mov rsi, rax",
    "test rax, rax",
    "jnz linnet_libcall_instance_throw",
    "ret",
    ".cfi_endproc",
    // fn(instance): a poll that found its word set.
    ".globl linnet_libcall_poll",
    "linnet_libcall_poll:",
    ".cfi_startproc",
    "push rbp",
    ".cfi_def_cfa_offset 16",
    ".cfi_offset rbp, -16",
    "mov rbp, rsp",
    ".cfi_def_cfa_register rbp",
    "mov rsi, rbp",
    "call {polled}",
    "pop rbp",
    ".cfi_def_cfa rsp, 8",
    "ret",
    ".cfi_endproc",
    polled = sym crate::interrupt::polled,
    throw = sym crate::unwind::throw,
    host = sym crate::func::call_host,
);

/// The stack pointer.
#[inline(always)]
pub(crate) fn stack_pointer() -> u64 {
    let sp;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack)) };
    sp
}
