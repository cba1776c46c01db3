//! AArch64.

use crate::trap::Activation;
use core::arch::{global_asm, naked_asm};
use linnet_abi::instance::Slot;

/// Where registers lie, from the address of the ucontext (arch/arm64/include/uapi/asm/sigcontext.h).
pub(super) mod offset {
    pub(crate) const PC: usize = 440;
    pub(crate) const SP: usize = 432;
    pub(crate) const FP: usize = 184 + 8 * 29;
    /// x0
    pub(crate) const ARGUMENT: usize = 184;
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
        "stp x29, x30, [sp, #-160]!",
        "mov x29, sp",
        ".cfi_def_cfa x29, 160",
        ".cfi_offset x29, -160",
        ".cfi_offset x30, -152",
        "stp x19, x20, [sp, #16]",
        "stp x21, x22, [sp, #32]",
        "stp x23, x24, [sp, #48]",
        "stp x25, x26, [sp, #64]",
        "stp x27, x28, [sp, #80]",
        "stp d8, d9, [sp, #96]",
        "stp d10, d11, [sp, #112]",
        "stp d12, d13, [sp, #128]",
        "stp d14, d15, [sp, #144]",
        ".cfi_offset x19, -144",
        ".cfi_offset x20, -136",
        ".cfi_offset x21, -128",
        ".cfi_offset x22, -120",
        ".cfi_offset x23, -112",
        ".cfi_offset x24, -104",
        ".cfi_offset x25, -96",
        ".cfi_offset x26, -88",
        ".cfi_offset x27, -80",
        ".cfi_offset x28, -72",
        "mov x9, sp",
        "str x9, [x0]", // Activation::sp
        "mov x9, x1",
        "mov x0, x2",
        "mov x1, x3",
        "mov x2, x4",
        "blr x9",
        "mov x0, sp",
        "mov x1, #0",
        "b {leave}",
        ".cfi_endproc",
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
        "mov sp, x0",
        "mov x0, x1",
        "ldp x19, x20, [sp, #16]",
        "ldp x21, x22, [sp, #32]",
        "ldp x23, x24, [sp, #48]",
        "ldp x25, x26, [sp, #64]",
        "ldp x27, x28, [sp, #80]",
        "ldp d8, d9, [sp, #96]",
        "ldp d10, d11, [sp, #112]",
        "ldp d12, d13, [sp, #128]",
        "ldp d14, d15, [sp, #144]",
        "ldp x29, x30, [sp], #160",
        "ret",
    )
}

global_asm!(
    // fn(instance, exception): the registers and the frame, for the search.
    ".globl linnet_libcall_instance_throw",
    "linnet_libcall_instance_throw:",
    "stp x29, x30, [sp, #-16]!",
    "mov x29, sp",
    "sub sp, sp, #144",
    "stp x19, x20, [sp]",
    "stp x21, x22, [sp, #16]",
    "stp x23, x24, [sp, #32]",
    "stp x25, x26, [sp, #48]",
    "stp x27, x28, [sp, #64]",
    "stp d8, d9, [sp, #80]",
    "stp d10, d11, [sp, #96]",
    "stp d12, d13, [sp, #112]",
    "stp d14, d15, [sp, #128]",
    "mov x0, x1",
    "mov x1, sp",
    "mov x2, x29",
    "bl {throw}",
    "udf #0",
    // fn(host function, values): what it wants thrown is thrown from here.
    ".globl linnet_embed_host",
    "linnet_embed_host:",
    ".cfi_startproc",
    "stp x29, x30, [sp, #-16]!",
    "mov x29, sp",
    ".cfi_def_cfa x29, 16",
    ".cfi_offset x29, -16",
    ".cfi_offset x30, -8",
    "bl {host}",
    "ldp x29, x30, [sp], #16",
    ".cfi_def_cfa sp, 0",
    ".cfi_restore x29",
    ".cfi_restore x30",
    "mov x1, x0",
    "cbnz x0, linnet_libcall_instance_throw",
    "ret",
    ".cfi_endproc",
    // fn(instance): a poll that found its word set.
    ".globl linnet_libcall_poll",
    "linnet_libcall_poll:",
    ".cfi_startproc",
    "stp x29, x30, [sp, #-16]!",
    "mov x29, sp",
    ".cfi_def_cfa x29, 16",
    ".cfi_offset x29, -16",
    ".cfi_offset x30, -8",
    "mov x1, x29",
    "bl {polled}",
    "ldp x29, x30, [sp], #16",
    ".cfi_def_cfa sp, 0",
    ".cfi_restore x29",
    ".cfi_restore x30",
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
    unsafe { core::arch::asm!("mov {}, sp", out(reg) sp, options(nomem, nostack)) };
    sp
}
