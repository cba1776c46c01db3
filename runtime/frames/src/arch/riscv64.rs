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
        ".option push",
        ".option arch, +d",
        "addi sp, sp, -208",
        "sd ra, 0(sp)",
        "sd s0, 8(sp)",
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
        "sd sp, -8(a4)",
        "mv t1, a0",
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
        "mv a0, a4",
        "jr t1",
        ".option pop",
    )
}

/// The end of a landing pad: back to who called [`run_pad`].
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn linnet_frames_captured(first_word: *mut u64) -> ! {
    naked_asm!(
        ".option push",
        ".option arch, +d",
        "ld sp, -8(a0)",
        "ld ra, 0(sp)",
        "ld s0, 8(sp)",
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

/// Code of a host frame that goes on. What it gives is in all the registers where a caller looks for it.
///
/// # Safety
/// `context.record` must point to a node of a plan, of a host frame.
#[unsafe(naked)]
pub unsafe extern "C" fn host_node(context: *mut Context) {
    naked_asm!(
        ".option push",
        ".option arch, +d",
        "addi sp, sp, -240",
        "sd ra, 232(sp)",
        "sd s0, 224(sp)",
        "sd s0, 16(sp)",
        "sd ra, 24(sp)",
        "sd s1, 32(sp)",
        "sd s2, 40(sp)",
        "sd s3, 48(sp)",
        "sd s4, 56(sp)",
        "sd s5, 64(sp)",
        "sd s6, 72(sp)",
        "sd s7, 80(sp)",
        "sd s8, 88(sp)",
        "sd s9, 96(sp)",
        "sd s10, 104(sp)",
        "sd s11, 112(sp)",
        "fsd fs0, 120(sp)",
        "fsd fs1, 128(sp)",
        "fsd fs2, 136(sp)",
        "fsd fs3, 144(sp)",
        "fsd fs4, 152(sp)",
        "fsd fs5, 160(sp)",
        "fsd fs6, 168(sp)",
        "fsd fs7, 176(sp)",
        "fsd fs8, 184(sp)",
        "fsd fs9, 192(sp)",
        "fsd fs10, 200(sp)",
        "fsd fs11, 208(sp)",
        "addi s0, sp, 240",
        "ld a1, {record}(a0)",
        "addi a2, sp, 16",
        "call {resume_frame}",
        "fmv.d.x fa0, a1",
        "ld s0, 224(sp)",
        "ld ra, 232(sp)",
        "addi sp, sp, 240",
        "ret",
        ".option pop",
        record = const offset::RECORD,
        resume_frame = sym rebuild::resume_frame,
    )
}

/// Calls `code(context)`, in either convention, and gives the registers where results are: that of integers and
/// that of floats.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn call(context: *mut Context, code: *const u8) -> Bits {
    naked_asm!(
        ".option push",
        ".option arch, +d",
        "addi sp, sp, -16",
        "sd ra, 8(sp)",
        "sd s0, 0(sp)",
        "addi s0, sp, 16",
        "jalr a1",
        "fmv.x.d a1, fa0",
        "ld s0, 0(sp)",
        "ld ra, 8(sp)",
        "addi sp, sp, 16",
        "ret",
        ".option pop",
    )
}
