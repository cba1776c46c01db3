//! arm64.

use core::arch::naked_asm;
use linnet_abi::module::REGISTER_FLOAT;

/// The callee-saved registers besides the frame pointer: x19 to x28, and the low halves of v8 to v15.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct CalleeSaved(pub [u64; 18]);

impl CalleeSaved {
    /// Puts the value of a register that a prologue saved; numbers are the ISA's.
    pub fn set(&mut self, register: u32, value: u64) {
        const FIRST_FLOAT: u32 = REGISTER_FLOAT | 8;
        const LAST_FLOAT: u32 = REGISTER_FLOAT | 15;
        match register {
            19..=28 => self.0[register as usize - 19] = value,
            FIRST_FLOAT..=LAST_FLOAT => self.0[(register - FIRST_FLOAT) as usize + 10] = value,
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
        "mov sp, x1",
        "mov x29, x2",
        "ldp x19, x20, [x3]",
        "ldp x21, x22, [x3, #16]",
        "ldp x23, x24, [x3, #32]",
        "ldp x25, x26, [x3, #48]",
        "ldp x27, x28, [x3, #64]",
        "ldp d8, d9, [x3, #80]",
        "ldp d10, d11, [x3, #96]",
        "ldp d12, d13, [x3, #112]",
        "ldp d14, d15, [x3, #128]",
        "mov x9, x0",
        "mov x0, x4",
        "mov x1, #0",
        "br x9",
    )
}
