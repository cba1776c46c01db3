//! riscv64.

use core::arch::naked_asm;
use linnet_abi::module::REGISTER_FLOAT;

/// The callee-saved registers besides the frame pointer: s1 to s11, fs0 to fs11.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct CalleeSaved(pub [u64; 23]);

/// Numbers of the registers in [`CalleeSaved`], in order.
pub const INTEGERS: [usize; 11] = [9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];
pub const FLOATS: [usize; 12] = [8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27];

impl CalleeSaved {
    /// Puts the value of a register that a prologue saved; numbers are the ISA's.
    pub fn set(&mut self, register: u32, value: u64) {
        match (register & REGISTER_FLOAT != 0, register & !REGISTER_FLOAT) {
            (false, 9) => self.0[0] = value,
            (false, n @ 18..=27) => self.0[n as usize - 17] = value,
            (true, n @ 8..=9) => self.0[n as usize + 3] = value,
            (true, n @ 18..=27) => self.0[n as usize - 5] = value,
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
        ".option push",
        ".option arch, +d",
        "mv sp, a1",
        "mv s0, a2",
        "ld s1, 0(a3)",
        "ld s2, 8(a3)",
        "ld s3, 16(a3)",
        "ld s4, 24(a3)",
        "ld s5, 32(a3)",
        "ld s6, 40(a3)",
        "ld s7, 48(a3)",
        "ld s8, 56(a3)",
        "ld s9, 64(a3)",
        "ld s10, 72(a3)",
        "ld s11, 80(a3)",
        "fld fs0, 88(a3)",
        "fld fs1, 96(a3)",
        "fld fs2, 104(a3)",
        "fld fs3, 112(a3)",
        "fld fs4, 120(a3)",
        "fld fs5, 128(a3)",
        "fld fs6, 136(a3)",
        "fld fs7, 144(a3)",
        "fld fs8, 152(a3)",
        "fld fs9, 160(a3)",
        "fld fs10, 168(a3)",
        "fld fs11, 176(a3)",
        "mv t1, a0",
        "mv a0, a4",
        "li a1, 0",
        "jr t1",
        ".option pop",
    )
}
