//! x86-64.

use core::arch::naked_asm;

/// The callee-saved registers besides the frame pointer: rbx, r12, r13, r14, r15.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct CalleeSaved(pub [u64; 5]);

impl CalleeSaved {
    /// Puts the value of a register that a prologue saved; numbers are the ISA's.
    pub fn set(&mut self, register: u32, value: u64) {
        match register {
            3 => self.0[0] = value,
            12..=15 => self.0[register as usize - 11] = value,
            _ => {}
        }
    }
}

/// Enters an exception handler at `pc`, with `payload` in the register of the first payload word.
///
/// # Safety
/// `pc` must be a landing pad of the frame that `sp` and `fp` describe, and `saved` what that frame had in
/// the callee-saved registers at its call.
#[unsafe(naked)]
pub unsafe extern "C" fn enter_handler(
    pc: u64,
    sp: u64,
    fp: u64,
    saved: *const CalleeSaved,
    payload: u64,
) -> ! {
    naked_asm!(
        "mov rsp, rsi",
        "mov rbp, rdx",
        "mov rbx, [rcx]",
        "mov r12, [rcx + 8]",
        "mov r13, [rcx + 16]",
        "mov r14, [rcx + 24]",
        "mov r15, [rcx + 32]",
        "mov rax, r8",
        "xor edx, edx",
        "jmp rdi",
    )
}
