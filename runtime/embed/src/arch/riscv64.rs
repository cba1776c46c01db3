//! 64-bit RISC-V.

use crate::trap::Activation;
use core::arch::{global_asm, naked_asm};
use linnet_abi::instance::Slot;

/// Where registers lie, from the address of the ucontext (arch/riscv/include/uapi/asm/ucontext.h).
pub(super) mod offset {
    pub(crate) const PC: usize = 176;
    pub(crate) const SP: usize = 176 + 8 * 2;
    pub(crate) const FP: usize = 176 + 8 * 8;
    /// a0
    pub(crate) const ARGUMENT: usize = 176 + 8 * 10;
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
        ".option push",
        ".option arch, +d",
        ".cfi_startproc",
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
        "mv s0, sp",
        ".cfi_def_cfa s0, 208",
        ".cfi_offset s0, -208",
        ".cfi_offset ra, -200",
        ".cfi_offset s1, -192",
        ".cfi_offset s2, -184",
        ".cfi_offset s3, -176",
        ".cfi_offset s4, -168",
        ".cfi_offset s5, -160",
        ".cfi_offset s6, -152",
        ".cfi_offset s7, -144",
        ".cfi_offset s8, -136",
        ".cfi_offset s9, -128",
        ".cfi_offset s10, -120",
        ".cfi_offset s11, -112",
        "sd sp, 0(a0)", // Activation::sp
        "mv t0, a1",
        "mv a0, a2",
        "mv a1, a3",
        "mv a2, a4",
        "jalr t0",
        "mv a0, sp",
        "li a1, 0",
        "tail {leave}",
        ".cfi_endproc",
        ".option pop",
        leave = sym leave,
    )
}

/// Ends the call of [`enter`] that saved `sp`; it returns `status`.
///
/// # Safety
/// The frames in between must not be needed: only translated code's, and some of ours.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn leave(sp: u64, status: u64) -> ! {
    naked_asm!(
        ".option push",
        ".option arch, +d",
        "mv sp, a0",
        "mv a0, a1",
        "ld s0, 0(sp)",
        "ld ra, 8(sp)",
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
        "ret",
        ".option pop",
    )
}

global_asm!(
    ".option push",
    ".option arch, +d",
    // fn(instance, exception): the registers and the frame, for the search.
    ".globl linnet_libcall_instance_throw",
    "linnet_libcall_instance_throw:",
    "addi sp, sp, -208",
    "sd s0, 192(sp)",
    "sd ra, 200(sp)",
    "addi s0, sp, 192",
    "sd s1, 0(sp)",
    "sd s2, 8(sp)",
    "sd s3, 16(sp)",
    "sd s4, 24(sp)",
    "sd s5, 32(sp)",
    "sd s6, 40(sp)",
    "sd s7, 48(sp)",
    "sd s8, 56(sp)",
    "sd s9, 64(sp)",
    "sd s10, 72(sp)",
    "sd s11, 80(sp)",
    "fsd fs0, 88(sp)",
    "fsd fs1, 96(sp)",
    "fsd fs2, 104(sp)",
    "fsd fs3, 112(sp)",
    "fsd fs4, 120(sp)",
    "fsd fs5, 128(sp)",
    "fsd fs6, 136(sp)",
    "fsd fs7, 144(sp)",
    "fsd fs8, 152(sp)",
    "fsd fs9, 160(sp)",
    "fsd fs10, 168(sp)",
    "fsd fs11, 176(sp)",
    "mv a0, a1",
    "mv a1, sp",
    "mv a2, s0",
    "call {throw}",
    "unimp",
    // fn(host function, values): what it wants thrown is thrown from here.
    ".globl linnet_embed_host",
    "linnet_embed_host:",
    ".cfi_startproc",
    "addi sp, sp, -16",
    "sd s0, 0(sp)",
    "sd ra, 8(sp)",
    "mv s0, sp",
    ".cfi_def_cfa s0, 16",
    ".cfi_offset s0, -16",
    ".cfi_offset ra, -8",
    "call {host}",
    "ld s0, 0(sp)",
    "ld ra, 8(sp)",
    "addi sp, sp, 16",
    ".cfi_def_cfa sp, 0",
    ".cfi_restore s0",
    ".cfi_restore ra",
    "mv a1, a0",
    "bnez a0, 1f",
    "ret",
    "1:",
    "tail linnet_libcall_instance_throw",
    ".cfi_endproc",
    // fn(instance): a poll that found its word set.
    ".globl linnet_libcall_poll",
    "linnet_libcall_poll:",
    ".cfi_startproc",
    "addi sp, sp, -16",
    "sd s0, 0(sp)",
    "sd ra, 8(sp)",
    "addi s0, sp, 0",
    ".cfi_def_cfa s0, 16",
    ".cfi_offset s0, -16",
    ".cfi_offset ra, -8",
    "mv a1, s0",
    "call {polled}",
    "ld s0, 0(sp)",
    "ld ra, 8(sp)",
    "addi sp, sp, 16",
    ".cfi_def_cfa sp, 0",
    ".cfi_restore s0",
    ".cfi_restore ra",
    "ret",
    ".cfi_endproc",
    ".option pop",
    polled = sym crate::interrupt::polled,
    throw = sym crate::unwind::throw,
    host = sym crate::func::call_host,
);

/// The stack pointer.
#[inline(always)]
pub(crate) fn stack_pointer() -> u64 {
    let sp;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mv {}, sp", out(reg) sp, options(nomem, nostack)) };
    sp
}
