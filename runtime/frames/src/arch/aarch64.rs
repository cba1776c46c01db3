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
        "str x9, [x4, #-8]",
        "mov x10, x0",
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
        "mov x0, x4",
        "br x10",
    )
}

/// The end of a landing pad: back to who called [`run_pad`].
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn linnet_frames_captured(first_word: *mut u64) -> ! {
    naked_asm!(
        "ldr x9, [x0, #-8]",
        "mov sp, x9",
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
        "stp x29, x30, [sp, #-176]!",
        "mov x29, sp",
        "stp x29, x30, [sp, #16]",
        "ldr x9, [sp]",
        "str x9, [sp, #16]",
        "stp x19, x20, [sp, #32]",
        "stp x21, x22, [sp, #48]",
        "stp x23, x24, [sp, #64]",
        "stp x25, x26, [sp, #80]",
        "stp x27, x28, [sp, #96]",
        "stp d8, d9, [sp, #112]",
        "stp d10, d11, [sp, #128]",
        "stp d12, d13, [sp, #144]",
        "stp d14, d15, [sp, #160]",
        "ldr x1, [x0, #{record}]",
        "add x2, sp, #16",
        "bl {resume_frame}",
        "mov x2, x0",
        "fmov d0, x1",
        "ldp x29, x30, [sp], #176",
        "ret",
        record = const offset::RECORD,
        resume_frame = sym rebuild::resume_frame,
    )
}

/// [`host_node`] for a caller with the convention of tail calls, in which arguments and results begin
/// with x2.
///
/// # Safety
/// As for [`host_node`].
#[unsafe(naked)]
pub unsafe extern "C" fn tail_host_node(context: *mut Context) {
    naked_asm!("mov x0, x2", "b {host_node}", host_node = sym host_node)
}

/// Calls `code(context)`, in the C convention, and gives the registers where results are: that of integers and
/// that of floats.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn call(context: *mut Context, code: *const u8) -> Bits {
    naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "blr x1",
        "fmov x1, d0",
        "ldp x29, x30, [sp], #16",
        "ret",
    )
}

/// The same in the convention of tail calls.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn tail_call(context: *mut Context, code: *const u8) -> Bits {
    naked_asm!(
        "stp x29, x30, [sp, #-16]!",
        "mov x29, sp",
        "mov x2, x0",
        "blr x1",
        "mov x0, x2",
        "fmov x1, d0",
        "ldp x29, x30, [sp], #16",
        "ret",
    )
}
