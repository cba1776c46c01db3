//! From user code to the kernel, and back.
//!
//! The stacks are those of `x86_64/entry.rs`, which tells of them with pictures. What differs:
//!
//! - `s1` is the task, where it is `rbx` there.
//! - The return address is in a register. A stub's frame looks like those of the runtime's compiled code:
//!   `ra` and `s0` lie right below what `s0` points to, and `s0` is the caller's `sp`.
//! - Six arguments fit into registers, and the kernel gets one on its stack.
//!
//! ```text
//!    linnet_user_syscall                linnet_user_fork, .._context_swap     linnet_libcall_poll
//!
//!   | caller's frame   |               | caller's frame   |                  | caller's frame   |
//!   +------------------+ <- s0         +------------------+ <- s0            +------------------+ <- s0
//!   | ra               | s0 - 8        | ra               | s0 - 8           | ra               | s0 - 8
//!   | s0               | s0 - 16       | s0               | s0 - 16          | s0               | s0 - 16
//!   | s1               | s0 - 24       | (unused)         |                  | s1               | s0 - 24
//!   | (unused)         | <- user_sp    | fs11 .. fs0      |                  | fa7 .. ft0       |
//!   +------------------+    = s0 - 32  | s11 .. s1        | <- user_sp       | a7 .. t0         |
//!                                      +------------------+    = s0 - 208    +------------------+ s0 - 304
//! ```
//!
//! What is interrupted takes 208 bytes: {fp, pc, s1 .. s11, fs0 .. fs11, signal_frame}. A host call during which
//! frames are captured has a frame as `linnet_user_fork` does.

use crate::arch::head::{ACTION, FORKING, TASK_OFFSET, THREAD, TaskHead, USER_SP};
use crate::arch::upcall;
use core::arch::global_asm;
use linnet_abi::context::Context;
use linnet_unwind::{CalleeSaved, Position};

// linnet_user_syscall(context, nr, a0..a5): a0 to a7.
// linnet_kernel_syscall(context, nr, pc, a0..a5): a0 to a7, one on the stack.
//
// Calls that duplicate the caller's frames (clone, clone3) take a slower way that has all
// callee-saved registers on the user stack, where the child finds them in its copy.
//
// The call frame information is that of the bodies, not of the first and last instructions. These
// are frames of signals to it: the code above them may lie on another stack.
global_asm!(
    ".option push",
    ".option arch, +d",

    ".macro linked", // the rest of what is interrupted
    "ld t0, -16(s0)",
    "sd t0, 0(sp)",
    "ld t0, -8(s0)",
    "sd t0, 8(sp)",
    "sd zero, 200(sp)",
    ".endm",

    ".macro run_actions", // what is interrupted at sp
    "mv a1, a0",
    "mv a0, s1",
    "mv a2, sp",
    "call {run_actions}",
    ".endm",

    ".macro interrupted", // s1 is the caller's at s0 - 24, all others still are
    "addi sp, sp, -208",
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
    "ld t0, -24(s0)",
    "sd t0, 16(sp)",
    "linked",
    ".endm",

    ".macro leave",
    "addi sp, s0, -32",
    "ld s1, 8(sp)",
    "ld ra, 24(sp)",
    "ld s0, 16(sp)",
    "addi sp, sp, 32",
    "ret",
    ".endm",

    ".macro save_registers", // those that calls keep
    "addi sp, sp, -208",
    "sd ra, 200(sp)",
    "sd s0, 192(sp)",
    "addi s0, sp, 208",
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
    ".endm",

    ".macro save_all", // on the user stack, for .Lresume_frames
    "save_registers",
    "lui s1, {task} >> 12",
    "add s1, s1, a0",
    "sd sp, {user_sp}(s1)",
    ".endm",

    ".p2align 4",
    ".cfi_startproc",
    ".cfi_signal_frame",
    ".cfi_def_cfa s0, 0",
    ".cfi_offset ra, -8",
    ".cfi_offset s0, -16",
    ".globl linnet_user_syscall",
    "linnet_user_syscall:",
    "li t0, 220",
    "beq a1, t0, .Lforking_syscall",
    "li t0, 435",
    "beq a1, t0, .Lforking_syscall",
    "addi sp, sp, -32",
    "sd ra, 24(sp)",
    "sd s0, 16(sp)",
    "addi s0, sp, 32",
    "sd s1, 8(sp)",
    "lui s1, {task} >> 12",
    "add s1, s1, a0",
    "sd sp, {user_sp}(s1)",
    "addi sp, s1, -16",
    "sd a7, 0(sp)",
    "mv a7, a6",
    "mv a6, a5",
    "mv a5, a4",
    "mv a4, a3",
    "mv a3, a2",
    "li a2, 0",
    ".Lcall_kernel:",
    "mv a0, s1",
    "call linnet_kernel_syscall",
    ".Lsyscall_return:",
    "lw t0, {action}(s1)",
    "bnez t0, .Lsyscall_actions",
    "leave",
    ".Lsyscall_actions:",
    "addi sp, s0, -32",
    "interrupted",
    "run_actions",
    "leave",

    // linnet_user_syscall_cp(context, pc, nr, a0..a5): one on the stack
    ".p2align 4",
    ".globl linnet_user_syscall_cp",
    "linnet_user_syscall_cp:",
    "addi sp, sp, -32",
    "sd ra, 24(sp)",
    "sd s0, 16(sp)",
    "addi s0, sp, 32",
    "sd s1, 8(sp)",
    "lui s1, {task} >> 12",
    "add s1, s1, a0",
    "sd sp, {user_sp}(s1)",
    "addi sp, s1, -16",
    "ld t0, 0(s0)",
    "sd t0, 0(sp)",
    "mv t0, a1",
    "mv a1, a2",
    "mv a2, t0",
    "j .Lcall_kernel",

    ".p2align 4",
    ".globl linnet_user_fork",
    "linnet_user_fork:",
    "li a2, 17", // SIGCHLD
    "j .Lfork",
    ".globl linnet_user_vfork",
    "linnet_user_vfork:",
    "li a2, 0x4111", // CLONE_VM | CLONE_VFORK | SIGCHLD
    ".Lfork:",
    "li a1, 220",
    "li a3, 0",
    "li a4, 0",
    "li a5, 0",
    "li a6, 0",
    "li a7, 0",
    ".Lforking_syscall:",
    "save_all",
    "li t0, 1",
    "sw t0, {forking}(s1)",
    "addi sp, s1, -16",
    "sd a7, 0(sp)",
    "mv a7, a6",
    "mv a6, a5",
    "mv a5, a4",
    "mv a4, a3",
    "mv a3, a2",
    "li a2, 0",
    "mv a0, s1",
    "call linnet_kernel_syscall",
    ".Lresume_frames:", // parent and child
    "ld sp, {user_sp}(s1)",
    "addi s0, sp, 208",
    "lw t0, {action}(s1)",
    "beqz t0, .Lrestore_all",
    "addi sp, sp, -208",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22",
    "ld t0, (208 + 8 * \\n)(sp)",
    "sd t0, (16 + 8 * \\n)(sp)",
    ".endr",
    "linked",
    "run_actions",
    "addi sp, s0, -208",
    ".Lrestore_all:",
    "sw zero, {forking}(s1)",
    "ld s1, 0(sp)",
    "ld s2, 8(sp)",
    "ld s3, 16(sp)",
    "ld s4, 24(sp)",
    "ld s5, 32(sp)",
    "ld s6, 40(sp)",
    "ld s7, 48(sp)",
    "ld s8, 56(sp)",
    "ld s9, 64(sp)",
    "ld s10, 72(sp)",
    "ld s11, 80(sp)",
    "fld fs0, 88(sp)",
    "fld fs1, 96(sp)",
    "fld fs2, 104(sp)",
    "fld fs3, 112(sp)",
    "fld fs4, 120(sp)",
    "fld fs5, 128(sp)",
    "fld fs6, 136(sp)",
    "fld fs7, 144(sp)",
    "fld fs8, 152(sp)",
    "fld fs9, 160(sp)",
    "fld fs10, 168(sp)",
    "fld fs11, 176(sp)",
    "ld ra, 200(sp)",
    "ld s0, 192(sp)",
    "addi sp, sp, 208",
    "ret",

    // linnet_user_clone(context, function, argument, stack, flags, ptid, tls, ctid)
    ".p2align 4",
    ".globl linnet_user_clone",
    "linnet_user_clone:",
    "addi sp, sp, -32",
    "sd ra, 24(sp)",
    "sd s0, 16(sp)",
    "addi s0, sp, 32",
    "sd s1, 8(sp)",
    "lui s1, {task} >> 12",
    "add s1, s1, a0",
    "sw a1, {thread}(s1)",
    "sw a2, {thread} + 4(s1)",
    "sw a3, {thread} + 8(s1)",
    "sw a4, {thread} + 12(s1)",
    "sw a6, {thread} + 16(s1)",
    "li t0, 2",
    "sw t0, {forking}(s1)",
    "sd sp, {user_sp}(s1)",
    "addi sp, s1, -16",
    "sd zero, 0(sp)",
    "mv t0, a3",
    "mv a3, a4", // flags
    "mv a4, t0", // stack
    "mv t0, a6",
    "mv a6, a7", // ctid
    "mv a7, t0", // tls
    ".irp r, a3, a4, a5, a6, a7",
    "slli \\r, \\r, 32",
    "srli \\r, \\r, 32",
    ".endr",
    "li a1, 220",
    "li a2, 0",
    "mv a0, s1",
    "call linnet_kernel_syscall",
    "lw t0, {action}(s1)",
    "bnez t0, .Lsyscall_actions",
    "sw zero, {forking}(s1)",
    "leave",

    // linnet_user_context_swap(context, from, to, function, argument, stack)
    ".p2align 4",
    ".globl linnet_user_context_swap",
    "linnet_user_context_swap:",
    "save_all",
    "mv sp, s1",
    "mv a0, s1",
    "call {context_swap}",
    "j .Lresume_frames", // maybe of another context

    // call_for_frames(context, f): f(task) on the kernel stack, as a call of the kernel that may copy frames
    ".p2align 4",
    ".globl linnet_call_for_frames",
    "linnet_call_for_frames:",
    "save_all",
    "mv sp, s1",
    "mv a0, s1",
    "jalr a1",
    "ld sp, {user_sp}(s1)",
    "addi s0, sp, 208",
    "j .Lrestore_all",

    ".globl linnet_resume_forked",
    "linnet_resume_forked:",
    "mv s1, a0",
    "li a0, 0",
    "j .Lresume_frames",

    // A loop head found the poll word set. Every register is the loop's own.
    ".p2align 4",
    ".globl linnet_libcall_poll",
    "linnet_libcall_poll:",
    "addi sp, sp, -304",
    "sd ra, 296(sp)",
    "sd s0, 288(sp)",
    "addi s0, sp, 304",
    "sd s1, 280(sp)", // s0 - 24, as the macro wants it
    "sd t0, 0(sp)",
    "sd t1, 8(sp)",
    "sd t2, 16(sp)",
    "sd t3, 24(sp)",
    "sd t4, 32(sp)",
    "sd t5, 40(sp)",
    "sd t6, 48(sp)",
    "sd a0, 56(sp)",
    "sd a1, 64(sp)",
    "sd a2, 72(sp)",
    "sd a3, 80(sp)",
    "sd a4, 88(sp)",
    "sd a5, 96(sp)",
    "sd a6, 104(sp)",
    "sd a7, 112(sp)",
    "fsd ft0, 120(sp)",
    "fsd ft1, 128(sp)",
    "fsd ft2, 136(sp)",
    "fsd ft3, 144(sp)",
    "fsd ft4, 152(sp)",
    "fsd ft5, 160(sp)",
    "fsd ft6, 168(sp)",
    "fsd ft7, 176(sp)",
    "fsd ft8, 184(sp)",
    "fsd ft9, 192(sp)",
    "fsd ft10, 200(sp)",
    "fsd ft11, 208(sp)",
    "fsd fa0, 216(sp)",
    "fsd fa1, 224(sp)",
    "fsd fa2, 232(sp)",
    "fsd fa3, 240(sp)",
    "fsd fa4, 248(sp)",
    "fsd fa5, 256(sp)",
    "fsd fa6, 264(sp)",
    "fsd fa7, 272(sp)",
    "lui s1, {task} >> 12",
    "add s1, s1, a0",
    "interrupted",
    "mv a0, s1",
    "mv a1, sp",
    "call {poll}",
    "addi sp, s0, -304",
    "ld t0, 0(sp)",
    "ld t1, 8(sp)",
    "ld t2, 16(sp)",
    "ld t3, 24(sp)",
    "ld t4, 32(sp)",
    "ld t5, 40(sp)",
    "ld t6, 48(sp)",
    "ld a0, 56(sp)",
    "ld a1, 64(sp)",
    "ld a2, 72(sp)",
    "ld a3, 80(sp)",
    "ld a4, 88(sp)",
    "ld a5, 96(sp)",
    "ld a6, 104(sp)",
    "ld a7, 112(sp)",
    "fld ft0, 120(sp)",
    "fld ft1, 128(sp)",
    "fld ft2, 136(sp)",
    "fld ft3, 144(sp)",
    "fld ft4, 152(sp)",
    "fld ft5, 160(sp)",
    "fld ft6, 168(sp)",
    "fld ft7, 176(sp)",
    "fld ft8, 184(sp)",
    "fld ft9, 192(sp)",
    "fld ft10, 200(sp)",
    "fld ft11, 208(sp)",
    "fld fa0, 216(sp)",
    "fld fa1, 224(sp)",
    "fld fa2, 232(sp)",
    "fld fa3, 240(sp)",
    "fld fa4, 248(sp)",
    "fld fa5, 256(sp)",
    "fld fa6, 264(sp)",
    "fld fa7, 272(sp)",
    "ld s1, 280(sp)",
    "ld ra, 296(sp)",
    "ld s0, 288(sp)",
    "addi sp, sp, 304",
    "ret",

    ".cfi_endproc",

    ".cfi_startproc",
    ".cfi_def_cfa s0, 0",
    ".cfi_offset ra, -8",
    ".cfi_offset s0, -16",
    ".macro host_call name, function",
    ".p2align 4",
    ".globl linnet_host_\\name",
    "linnet_host_\\name:",
    "save_registers",
    "call \\function",
    "ld ra, -8(s0)",
    "mv sp, s0",
    "ld s0, -16(s0)",
    "ret",
    ".endm",
    "host_call switch_to, {switch_to}",
    "host_call snapshot, {snapshot}",
    ".cfi_endproc",

    ".cfi_startproc",
    ".cfi_def_cfa s0, 0",
    ".cfi_offset ra, -8",
    ".cfi_offset s0, -16",
    ".globl linnet_libcall_throw",
    "linnet_libcall_throw:",
    "save_registers",
    "mv a1, sp",
    "mv a2, s0",
    "call {throw}",
    "unimp",
    ".cfi_endproc",
    ".option pop",

    task = const TASK_OFFSET,
    user_sp = const USER_SP,
    action = const ACTION,
    forking = const FORKING,
    thread = const THREAD,
    run_actions = sym upcall::run_actions,
    poll = sym upcall::poll,
    context_swap = sym upcall::context_swap,
    throw = sym upcall::throw,
    switch_to = sym upcall::switch_to,
    snapshot = sym upcall::snapshot,
);

/// What the kernel's code had in the registers that calls keep when it made a host call whose stub has its
/// frame at `fp`.
///
/// # Safety
/// The frame must be live, and that of `linnet_host_switch_to` or `linnet_host_snapshot`.
pub unsafe fn saved_by_host_call(fp: u64) -> CalleeSaved {
    // SAFETY: the caller's promise; they lie there in this order.
    unsafe { *((fp - 208) as *const CalleeSaved) }
}

/// Where the user code stands that has called the kernel and left its stack at `sp`. `saved` is what the stub
/// had in the registers that calls keep.
///
/// # Safety
/// The frame must be live, and that of `linnet_user_syscall`, `.._syscall_cp` or `.._clone`.
pub unsafe fn user_call(sp: usize, mut saved: CalleeSaved) -> Position {
    let words = sp as *const u64;
    // SAFETY: the caller's promise.
    unsafe {
        saved.0[0] = *words.add(1);
        Position { fp: *words.add(2), pc: *words.add(3), saved }
    }
}

/// The same of a stub that saves all registers.
///
/// # Safety
/// The frame must be live, or a copy of one, and that of such a stub.
pub unsafe fn user_call_for_frames(sp: usize) -> Position {
    let words = sp as *const u64;
    // SAFETY: the caller's promise.
    unsafe {
        let saved = *words.cast::<CalleeSaved>();
        Position { fp: *words.add(24), pc: *words.add(25), saved }
    }
}

unsafe extern "C" {
    /// First user instructions of a forked child: returns 0 from the call that made it.
    #[link_name = "linnet_resume_forked"]
    pub fn resume_forked(task: *const core::ffi::c_void) -> !;
    /// Calls `f` on the empty kernel stack of the task of that context, from its user stack, in a way in which
    /// the kernel may copy the frames. Gives what `f` does, and 0 in a child.
    #[link_name = "linnet_call_for_frames"]
    pub fn call_for_frames(context: *mut Context, f: extern "C" fn(&TaskHead) -> u64) -> u64;
}
