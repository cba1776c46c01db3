//! From user code to the kernel, and back.
//!
//! The stacks are those of `x86_64/entry.rs`, which tells of them with pictures. What differs:
//!
//! - `x19` is the task, where it is `rbx` there.
//! - The return address is in a register: a stub's frame begins with a record of `x29` and `x30`, and
//!   `user_sp` is `x29`.
//! - Six arguments fit into registers, and the kernel gets one on its stack.
//!
//! ```text
//!    linnet_user_syscall                linnet_user_fork, .._context_swap     linnet_libcall_poll
//!
//!   | caller's frame   |               | caller's frame   |                  | caller's frame   |
//!   +------------------+ x29 + 32      +------------------+ x29 + 160        +------------------+ x29 + 192
//!   | (unused)         |               | d15 .. d8        |                  | (unused)         |
//!   | caller's x19     | x29 + 16      | x28 .. x19       | x29 + 16         | x18 .. x0, x19   | x29 + 16
//!   | x30              |               | x30              |                  | x30              |
//!   | x29              | <- x29        | x29              | <- x29           | x29              | <- x29
//!   +------------------+    = user_sp  +------------------+    = user_sp     | v31 .. v0, whole | x29 - 512
//!                                                                            +------------------+
//! ```
//!
//! What is interrupted takes 176 bytes: {fp, pc, x19 .. x28, d8 .. d15, signal_frame, (unused)}. A host call
//! during which frames are captured has a frame as `linnet_user_fork` does.

use crate::arch::head::{ACTION, FORKING, TASK_OFFSET, THREAD, TaskHead, USER_SP};
use crate::arch::upcall;
use core::arch::global_asm;
use linnet_abi::context::Context;
use linnet_unwind::{CalleeSaved, Position};

// linnet_user_syscall(context, nr, a0..a5): x0, w1, x2 to x7.
// linnet_kernel_syscall(context, nr, pc, a0..a5): x0, w1, w2, x3 to x7, one on the stack.
//
// Calls that duplicate the caller's frames (clone, clone3) take a slower way that has all
// callee-saved registers on the user stack, where the child finds them in its copy.
// The call frame information is that of the bodies, not of the first and last instructions. These
// are frames of signals to it: the code above them may lie on another stack.
global_asm!(
    ".macro run_actions", // what is interrupted at sp
    "stp xzr, xzr, [sp, #160]",
    "mov x1, x0",
    "mov x0, x19",
    "mov x2, sp",
    "bl {run_actions}",
    ".endm",

    ".macro interrupted", // x19 is the caller's at [x29, 16], all others still are
    "sub sp, sp, #176",
    "ldp x9, x10, [x29]",
    "stp x9, x10, [sp]",
    "ldr x9, [x29, #16]",
    "stp x9, x20, [sp, #16]",
    "stp x21, x22, [sp, #32]",
    "stp x23, x24, [sp, #48]",
    "stp x25, x26, [sp, #64]",
    "stp x27, x28, [sp, #80]",
    "stp d8, d9, [sp, #96]",
    "stp d10, d11, [sp, #112]",
    "stp d12, d13, [sp, #128]",
    "stp d14, d15, [sp, #144]",
    ".endm",

    ".macro save_kept at", // what calls keep: `CalleeSaved`
    "stp x19, x20, [sp, #\\at]",
    "stp x21, x22, [sp, #\\at + 16]",
    "stp x23, x24, [sp, #\\at + 32]",
    "stp x25, x26, [sp, #\\at + 48]",
    "stp x27, x28, [sp, #\\at + 64]",
    "stp d8, d9, [sp, #\\at + 80]",
    "stp d10, d11, [sp, #\\at + 96]",
    "stp d12, d13, [sp, #\\at + 112]",
    "stp d14, d15, [sp, #\\at + 128]",
    ".endm",

    ".macro framed size", // bytes from fp to the caller's sp
    ".cfi_def_cfa x29, \\size",
    ".cfi_offset x29, -\\size",
    ".cfi_offset x30, 8 - \\size",
    ".endm",

    ".macro save_all", // on the user stack, for .Lresume_frames
    "framed 160",
    "stp x29, x30, [sp, #-160]!",
    "mov x29, sp",
    "save_kept 16",
    "add x19, x0, {task}",
    "str x29, [x19, {user_sp}]",
    ".endm",

    ".p2align 4",
    ".cfi_startproc",
    ".cfi_signal_frame",
    "framed 32",
    ".globl linnet_user_syscall",
    "linnet_user_syscall:",
    "cmp w1, #220",
    "b.eq linnet_user_forking_syscall",
    "cmp w1, #435",
    "b.eq linnet_user_forking_syscall",
    "stp x29, x30, [sp, #-32]!",
    "mov x29, sp",
    "str x19, [sp, #16]",
    "add x19, x0, {task}",
    "str x29, [x19, {user_sp}]",
    "sub sp, x19, #16",
    "str x7, [sp]",
    "mov x7, x6",
    "mov x6, x5",
    "mov x5, x4",
    "mov x4, x3",
    "mov x3, x2",
    "mov w2, #0",
    ".Lcall_kernel:",
    "mov x0, x19",
    "bl linnet_kernel_syscall",
    "mov sp, x29",
    "ldr w9, [x19, {action}]",
    "cbnz w9, .Lsyscall_actions",
    "ldr x19, [sp, #16]",
    "ldp x29, x30, [sp], #32",
    "ret",
    ".Lsyscall_actions:",
    "interrupted",
    "run_actions",
    "mov sp, x29",
    "ldr x19, [sp, #16]",
    "ldp x29, x30, [sp], #32",
    "ret",

    // linnet_user_syscall_cp(context, pc, nr, a0..a5): one on the stack
    ".p2align 4",
    ".globl linnet_user_syscall_cp",
    "linnet_user_syscall_cp:",
    "stp x29, x30, [sp, #-32]!",
    "mov x29, sp",
    "str x19, [sp, #16]",
    "add x19, x0, {task}",
    "str x29, [x19, {user_sp}]",
    "sub sp, x19, #16",
    "ldr x9, [x29, #32]",
    "str x9, [sp]",
    "mov w9, w1",
    "mov w1, w2",
    "mov w2, w9",
    "b .Lcall_kernel",

    ".p2align 4",
    ".globl linnet_user_fork",
    "linnet_user_fork:",
    "mov x2, #17", // SIGCHLD
    "b .Lfork",
    ".globl linnet_user_vfork",
    "linnet_user_vfork:",
    "mov x2, #0x4111", // CLONE_VM | CLONE_VFORK | SIGCHLD
    ".Lfork:",
    "mov w1, #220",
    "mov x3, #0",
    "mov x4, #0",
    "mov x5, #0",
    "mov x6, #0",
    "mov x7, #0",
    "linnet_user_forking_syscall:",
    "save_all",
    "mov w9, #1",
    "str w9, [x19, {forking}]",
    "sub sp, x19, #16",
    "str x7, [sp]",
    "mov x7, x6",
    "mov x6, x5",
    "mov x5, x4",
    "mov x4, x3",
    "mov x3, x2",
    "mov w2, #0",
    "mov x0, x19",
    "bl linnet_kernel_syscall",
    ".Lresume_frames:", // parent and child
    "ldr x29, [x19, {user_sp}]",
    "mov sp, x29",
    "ldr w9, [x19, {action}]",
    "cbz w9, .Lrestore_all",
    "sub sp, sp, #176",
    "ldp x9, x10, [x29]",
    "stp x9, x10, [sp]",
    ".irp at, 16, 32, 48, 64, 80, 96, 112, 128, 144",
    "ldp x9, x10, [x29, #\\at]",
    "stp x9, x10, [sp, #\\at]",
    ".endr",
    "run_actions",
    ".Lrestore_all:",
    "str wzr, [x19, {forking}]",
    "mov sp, x29",
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

    // linnet_user_clone(context, function, argument, stack, flags, ptid, tls, ctid)
    ".p2align 4",
    ".globl linnet_user_clone",
    "linnet_user_clone:",
    "framed 32",
    "stp x29, x30, [sp, #-32]!",
    "mov x29, sp",
    "str x19, [sp, #16]",
    "add x19, x0, {task}",
    "str w1, [x19, {thread}]",
    "str w2, [x19, {thread} + 4]",
    "str w3, [x19, {thread} + 8]",
    "str w4, [x19, {thread} + 12]",
    "str w6, [x19, {thread} + 16]",
    "mov w9, #2",
    "str w9, [x19, {forking}]",
    "str x29, [x19, {user_sp}]",
    "sub sp, x19, #16",
    "str xzr, [sp]",
    "mov w9, w3",
    "mov w3, w4", // flags
    "mov w4, w9", // stack
    "mov w5, w5", // ptid
    "mov w9, w6",
    "mov w6, w7", // ctid
    "mov w7, w9", // tls
    "mov w1, #220",
    "mov w2, #0",
    "mov x0, x19",
    "bl linnet_kernel_syscall",
    "mov sp, x29",
    "ldr w9, [x19, {action}]",
    "cbnz w9, .Lsyscall_actions",
    "str wzr, [x19, {forking}]",
    "ldr x19, [sp, #16]",
    "ldp x29, x30, [sp], #32",
    "ret",

    // linnet_user_context_swap(context, from, to, function, argument, stack)
    ".p2align 4",
    ".globl linnet_user_context_swap",
    "linnet_user_context_swap:",
    "save_all",
    "mov sp, x19",
    "mov x0, x19",
    "bl {context_swap}",
    "b .Lresume_frames", // maybe of another context

    // call_for_frames(context, f): f(task) on the kernel stack, as a call of the kernel that may copy frames
    ".p2align 4",
    ".globl linnet_call_for_frames",
    "linnet_call_for_frames:",
    "save_all",
    "mov sp, x19",
    "mov x0, x19",
    "blr x1",
    "ldr x29, [x19, {user_sp}]",
    "b .Lrestore_all",

    ".globl linnet_resume_forked",
    "linnet_resume_forked:",
    "framed 160",
    "mov x19, x0",
    "mov x0, #0",
    "b .Lresume_frames",

    // A loop head found the poll word set. Every register is the loop's own, vectors whole.
    ".p2align 4",
    ".globl linnet_libcall_poll",
    "linnet_libcall_poll:",
    "framed 192",
    "stp x29, x30, [sp, #-192]!",
    "mov x29, sp",
    "stp x19, x0, [sp, #16]", // x19 where the macro wants it
    "stp x1, x2, [sp, #32]",
    "stp x3, x4, [sp, #48]",
    "stp x5, x6, [sp, #64]",
    "stp x7, x8, [sp, #80]",
    "stp x9, x10, [sp, #96]",
    "stp x11, x12, [sp, #112]",
    "stp x13, x14, [sp, #128]",
    "stp x15, x16, [sp, #144]",
    "stp x17, x18, [sp, #160]",
    "sub sp, sp, #512",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "str q\\n, [sp, #(16 * \\n)]",
    ".endr",
    ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
    "str q\\n, [sp, #(16 * \\n)]",
    ".endr",
    "add x19, x0, {task}",
    "interrupted",
    "stp xzr, xzr, [sp, #160]",
    "mov x0, x19",
    "mov x1, sp",
    "bl {poll}",
    "sub sp, x29, #512",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "ldr q\\n, [sp, #(16 * \\n)]",
    ".endr",
    ".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
    "ldr q\\n, [sp, #(16 * \\n)]",
    ".endr",
    "mov sp, x29",
    "ldp x19, x0, [sp, #16]",
    "ldp x1, x2, [sp, #32]",
    "ldp x3, x4, [sp, #48]",
    "ldp x5, x6, [sp, #64]",
    "ldp x7, x8, [sp, #80]",
    "ldp x9, x10, [sp, #96]",
    "ldp x11, x12, [sp, #112]",
    "ldp x13, x14, [sp, #128]",
    "ldp x15, x16, [sp, #144]",
    "ldp x17, x18, [sp, #160]",
    "ldp x29, x30, [sp], #192",
    "ret",

    ".cfi_endproc",

    ".cfi_startproc",
    ".macro host_call name, function",
    ".p2align 4",
    ".globl linnet_host_\\name",
    "linnet_host_\\name:",
    "framed 160",
    "stp x29, x30, [sp, #-160]!",
    "mov x29, sp",
    "save_kept 16",
    "bl \\function",
    "ldp x29, x30, [sp], #160",
    "ret",
    ".endm",
    "host_call switch_to, {switch_to}",
    "host_call snapshot, {snapshot}",
    ".cfi_endproc",

    ".cfi_startproc",
    "framed 16",
    ".globl linnet_libcall_throw",
    "linnet_libcall_throw:",
    "stp x29, x30, [sp, #-16]!",
    "mov x29, sp",
    "sub sp, sp, #144",
    "save_kept 0",
    "mov x1, sp",
    "mov x2, x29",
    "bl {throw}",
    "udf #0",
    ".cfi_endproc",

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
    unsafe { *((fp + 16) as *const CalleeSaved) }
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
        saved.0[0] = *words.add(2);
        Position { fp: *words, pc: *words.add(1), saved }
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
        let saved = *words.add(2).cast::<CalleeSaved>();
        Position { fp: *words, pc: *words.add(1), saved }
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
