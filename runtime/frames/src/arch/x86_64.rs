use super::{Bits, Context};
use crate::rebuild;
use core::arch::naked_asm;
use linnet_abi::context::offset;
use linnet_unwind::CalleeSaved;

/// Runs the landing pad of a capture point on a frame, until it says that its values are at `first_word`. The word
/// before that is used.
///
/// # Safety
/// `pc` must be the landing pad of the capture point that the frame at `sp` and `fp` stands at, `saved` what the frame had in
/// the callee-saved registers, and there must be stack below `sp`.
#[unsafe(naked)]
pub unsafe extern "C" fn run_pad(
    pc: u64,
    sp: u64,
    fp: u64,
    saved: &CalleeSaved,
    first_word: *mut u64,
) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [r8 - 8], rsp",
        "mov rax, r8",
        "mov rsp, rsi",
        "mov rbp, rdx",
        "mov rbx, [rcx]",
        "mov r12, [rcx + 8]",
        "mov r13, [rcx + 16]",
        "mov r14, [rcx + 24]",
        "mov r15, [rcx + 32]",
        "jmp rdi",
    )
}

/// The end of a landing pad: back to who called [`run_pad`].
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn linnet_frames_captured(first_word: *mut u64) -> ! {
    naked_asm!(
        "mov rsp, [rdi - 8]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Code of a host frame that goes on. What it gives is in all the registers where a caller looks for it.
///
/// # Safety
/// `context.record` must point to a node of a plan, of a host frame.
#[unsafe(naked)]
pub unsafe extern "C" fn host_node(context: *mut Context) {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 64",
        "mov rax, [rbp]",
        "mov [rsp], rax",
        "mov rax, [rbp + 8]",
        "mov [rsp + 8], rax",
        "mov [rsp + 16], rbx",
        "mov [rsp + 24], r12",
        "mov [rsp + 32], r13",
        "mov [rsp + 40], r14",
        "mov [rsp + 48], r15",
        "mov rsi, [rdi + {record}]",
        "mov rdx, rsp",
        "call {resume_frame}",
        "movq xmm0, rdx",
        "leave",
        "ret",
        record = const offset::RECORD,
        resume_frame = sym rebuild::resume_frame,
    )
}

/// Calls `code(context)`, in either convention, and gives the registers where results are: that of integers and
/// that of floats.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn call(context: *mut Context, code: *const u8) -> Bits {
    naked_asm!("push rbp", "mov rbp, rsp", "call rsi", "movq rdx, xmm0", "pop rbp", "ret",)
}
