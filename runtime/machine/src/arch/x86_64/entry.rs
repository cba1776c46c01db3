//! From user code to the kernel, and back.
//!
//! # The stacks
//!
//! Addresses grow upwards. A task's block lies right above its kernel stack; in user mode that stack is
//! empty, and so an entry needs no saved stack pointer to find it: its top is the block's address.
//! That is a constant above the context that translated code passes, which lies at the start of the region.
//!
//! `linnet_user_syscall`, when it calls the kernel. `rbx` is the task, which survives the call:
//!
//! ```text
//!    user stack                               kernel stack
//!
//!   | a5, a4           |                     | Task: the kernel's context,     |
//!   | return address   |                     | user_sp, action, forking, ..   |
//!   +------------------+                     +--------------------------------+ <- rbx = task
//!   | caller's rbp     | <- rbp              | 0, so that rsp is aligned      |
//!   | caller's rbx     | <- user_sp          | a5                             |
//!   +------------------+                     | a4                             |
//!   |                  |                     | a3                             | <- rsp
//!   |  (free)          |                     +--------------------------------+
//!                                            | frames of the kernel           |
//! ```
//!
//! When the kernel has returned and left an action, the stub is on the user stack again, and the kernel
//! stack empty. It describes the code that called it as [`Interrupted`](super::super::Interrupted), for
//! an exception to pass, and has `run_actions` do what is asked: that may call a signal's handler below,
//! whose own system calls come this very way.
//!
//! ```text
//!   | return address   |
//!   | caller's rbp     | <- rbp
//!   | caller's rbx     |
//!   +------------------+
//!   | (unused)         |
//!   | signal_frame = 0 |
//!   | r15, r14, r13,   |  callee-saved, as the caller has them
//!   | r12, rbx         |
//!   | pc               |  return address
//!   | fp               | <- rsp
//!   +------------------+
//!   | run_actions, the |
//!   | signal's handler |
//! ```
//!
//! A system call that duplicates the caller's frames (fork, clone, clone3) saves all registers that calls
//! keep, so that whoever has the frames can go on in them: the parent, or the child in its copy, which
//! begins at `user_sp` (`linnet_resume_forked`). `linnet_user_context_swap` does the same; its frames are
//! copied away and others lie there when it returns.
//!
//! ```text
//!   | return address   |
//!   | caller's rbp     | <- rbp
//!   | rbx, r12, r13,   |
//!   | r14, r15         |
//!   | (unused)         | <- user_sp
//! ```
//!
//! `linnet_libcall_poll` is called from a loop that has values in every register:
//!
//! ```text
//!   | return address   |
//!   | caller's rbp     | <- rbp
//!   | caller's rbx     |
//!   | rax, rcx, rdx,   |
//!   | rsi, rdi, r8..11 |
//!   | xmm15..xmm0      |
//!   +------------------+
//!   | (unused)         |
//!   | what is          |
//!   | interrupted      |
//!   +------------------+ <- rsp, aligned; `poll` goes to the kernel stack by itself
//! ```
//!
//! `linnet_host_switch_to` and `linnet_host_snapshot`, the host calls during which frames are captured, save
//! what calls keep, below `rbp` in this order: rbx, r12, r13, r14, r15.
//!
//! `linnet_libcall_throw` pushes the callee-saved registers, which `throw` takes as the start of its walk
//! and does not return. Host signals push a frame of the host's on a stack of the thread: see
//! `border/fault.rs`.

use crate::arch::head::{ACTION, FORKING, TASK_OFFSET, THREAD, TaskHead, USER_SP};
use crate::arch::upcall;
use core::arch::global_asm;
use linnet_abi::context::Context;
use linnet_unwind::{CalleeSaved, Position};

// linnet_user_syscall(context, nr, a0..a5): rdi, esi, rdx, rcx, r8, r9, two on the stack.
// linnet_kernel_syscall(context, nr, pc, a0..a5): rdi, esi, edx, rcx, r8, r9, three on the stack.
//
// Calls that duplicate the caller's frames (clone, clone3) take a slower way that has all
// callee-saved registers on the user stack, where the child finds them in its copy.
// The call frame information is that of the bodies, not of the first and last instructions. These
// are frames of signals to it: the code above them may lie on another stack.
global_asm!(
    ".macro interrupted", // {fp, pc, rbx, r12, r13, r14, r15, signal_frame}
    "push 0",
    "push r15", "push r14", "push r13", "push r12", "push qword ptr [rbp - 8]",
    "push qword ptr [rbp + 8]", "push qword ptr [rbp]",
    ".endm",

    ".macro activation", // rsp 16-aligned after
    "push 0",
    "interrupted",
    "mov rdi, rbx",
    "mov rsi, rax",
    "mov rdx, rsp",
    "call {run_actions}",
    ".endm",

    ".macro save_all", // on the user stack, for .Lresume_frames
    "push rbp",
    "mov rbp, rsp",
    "push rbx", "push r12", "push r13", "push r14", "push r15",
    "sub rsp, 8",
    "lea rbx, [rdi + {task}]",
    "mov [rbx + {user_sp}], rsp",
    ".endm",

    ".p2align 4",
    ".cfi_startproc",
    ".cfi_signal_frame",
    ".cfi_def_cfa rbp, 16",
    ".cfi_offset rbp, -16",
    ".globl linnet_user_syscall",
    "linnet_user_syscall:",
    "cmp esi, 220",
    "je linnet_user_forking_syscall",
    "cmp esi, 435",
    "je linnet_user_forking_syscall",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "lea rbx, [rdi + {task}]",
    "mov [rbx + {user_sp}], rsp",
    "mov rsp, rbx",
    "push 0",
    "push qword ptr [rbp + 24]",
    "push qword ptr [rbp + 16]",
    "push r9",
    "mov r9, r8",
    "mov r8, rcx",
    "mov rcx, rdx",
    "xor edx, edx",
    ".Lcall_kernel:",
    "mov rdi, rbx",
    "call linnet_kernel_syscall",
    "lea rsp, [rbp - 8]",
    "cmp dword ptr [rbx + {action}], 0",
    "jne .Lsyscall_actions",
    "pop rbx",
    "pop rbp",
    "ret",
    ".Lsyscall_actions:",
    "activation",
    "lea rsp, [rbp - 8]",
    "pop rbx",
    "pop rbp",
    "ret",

    // linnet_user_syscall_cp(context, pc, nr, a0..a5): three on the stack
    ".p2align 4",
    ".globl linnet_user_syscall_cp",
    "linnet_user_syscall_cp:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "lea rbx, [rdi + {task}]",
    "mov [rbx + {user_sp}], rsp",
    "mov rsp, rbx",
    "push 0",
    "push qword ptr [rbp + 32]",
    "push qword ptr [rbp + 24]",
    "push qword ptr [rbp + 16]",
    "xchg esi, edx",
    "jmp .Lcall_kernel",

    ".p2align 4",
    ".globl linnet_user_fork",
    "linnet_user_fork:",
    "mov edx, 17", // SIGCHLD
    "jmp .Lfork",
    ".globl linnet_user_vfork",
    "linnet_user_vfork:",
    "mov edx, 0x4111", // CLONE_VM | CLONE_VFORK | SIGCHLD
    ".Lfork:",
    "mov esi, 220",
    "xor ecx, ecx",
    "xor r8d, r8d",
    "xor r9d, r9d",
    "linnet_user_forking_syscall:",
    "save_all",
    "mov dword ptr [rbx + {forking}], 1",
    "mov rsp, rbx",
    "push 0",
    "push qword ptr [rbp + 24]",
    "push qword ptr [rbp + 16]",
    "push r9",
    "mov r9, r8",
    "mov r8, rcx",
    "mov rcx, rdx",
    "xor edx, edx",
    "mov rdi, rbx",
    "call linnet_kernel_syscall",
    "mov rsp, [rbx + {user_sp}]",
    ".Lresume_frames:", // parent and child
    "lea rbp, [rsp + 48]",
    "cmp dword ptr [rbx + {action}], 0",
    "je .Lrestore_all",
    "sub rsp, 16",
    "push 0",
    "push qword ptr [rbp - 40]", "push qword ptr [rbp - 32]", "push qword ptr [rbp - 24]", "push qword ptr [rbp - 16]", "push qword ptr [rbp - 8]",
    "push qword ptr [rbp + 8]", "push qword ptr [rbp]",
    "mov rdi, rbx",
    "mov rsi, rax",
    "mov rdx, rsp",
    "call {run_actions}",
    ".Lrestore_all:",
    "mov dword ptr [rbx + {forking}], 0",
    "lea rsp, [rbp - 40]",
    "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx",
    "pop rbp",
    "ret",

    // linnet_user_clone(context, function, argument, stack, flags, ptid, tls, ctid)
    ".p2align 4",
    ".globl linnet_user_clone",
    "linnet_user_clone:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "lea rbx, [rdi + {task}]",
    "mov [rbx + {thread}], esi",
    "mov [rbx + {thread} + 4], edx",
    "mov [rbx + {thread} + 8], ecx",
    "mov [rbx + {thread} + 12], r8d",
    "mov eax, [rbp + 16]",
    "mov [rbx + {thread} + 16], eax",
    "mov dword ptr [rbx + {forking}], 2",
    "mov [rbx + {user_sp}], rsp",
    "mov rsp, rbx",
    "mov r10d, [rbp + 24]",
    "push 0",
    "push 0",
    "push rax", // tls
    "push r10", // ctid
    "mov eax, ecx",
    "mov ecx, r8d",
    "mov r8d, eax",
    "mov r9d, r9d",
    "mov esi, 220",
    "xor edx, edx",
    "mov rdi, rbx",
    "call linnet_kernel_syscall",
    "lea rsp, [rbp - 8]",
    "cmp dword ptr [rbx + {action}], 0",
    "jne .Lsyscall_actions",
    "mov dword ptr [rbx + {forking}], 0",
    "pop rbx",
    "pop rbp",
    "ret",

    // linnet_user_context_swap(context, from, to, function, argument, stack)
    ".p2align 4",
    ".globl linnet_user_context_swap",
    "linnet_user_context_swap:",
    "save_all",
    "mov rsp, rbx",
    "mov rdi, rbx",
    "call {context_swap}",
    "mov rsp, [rbx + {user_sp}]", // maybe of another context
    "jmp .Lresume_frames",

    // call_for_frames(context, f): f(task) on the kernel stack, as a call of the kernel that may copy frames
    ".p2align 4",
    ".globl linnet_call_for_frames",
    "linnet_call_for_frames:",
    "save_all",
    "mov rsp, rbx",
    "mov rdi, rbx",
    "call rsi",
    "mov rsp, [rbx + {user_sp}]",
    "lea rbp, [rsp + 48]",
    "jmp .Lrestore_all",

    ".globl linnet_resume_forked",
    "linnet_resume_forked:",
    "mov rbx, rdi",
    "mov rsp, [rbx + {user_sp}]",
    "xor eax, eax",
    "jmp .Lresume_frames",

    // A loop head found the poll word set. Every register is the loop's own.
    ".p2align 4",
    ".globl linnet_libcall_poll",
    "linnet_libcall_poll:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx", // [rbp - 8], as the macro wants it
    "push rax", "push rcx", "push rdx", "push rsi", "push rdi",
    "push r8", "push r9", "push r10", "push r11",
    "sub rsp, 256",
    "movups [rsp], xmm0", "movups [rsp + 16], xmm1", "movups [rsp + 32], xmm2",
    "movups [rsp + 48], xmm3", "movups [rsp + 64], xmm4", "movups [rsp + 80], xmm5",
    "movups [rsp + 96], xmm6", "movups [rsp + 112], xmm7", "movups [rsp + 128], xmm8",
    "movups [rsp + 144], xmm9", "movups [rsp + 160], xmm10", "movups [rsp + 176], xmm11",
    "movups [rsp + 192], xmm12", "movups [rsp + 208], xmm13", "movups [rsp + 224], xmm14",
    "movups [rsp + 240], xmm15",
    "lea rbx, [rdi + {task}]",
    "and rsp, -16",
    "interrupted",
    "mov rdi, rbx",
    "mov rsi, rsp",
    "call {poll}",
    "lea rsp, [rbp - 336]",
    "movups xmm0, [rsp]", "movups xmm1, [rsp + 16]", "movups xmm2, [rsp + 32]",
    "movups xmm3, [rsp + 48]", "movups xmm4, [rsp + 64]", "movups xmm5, [rsp + 80]",
    "movups xmm6, [rsp + 96]", "movups xmm7, [rsp + 112]", "movups xmm8, [rsp + 128]",
    "movups xmm9, [rsp + 144]", "movups xmm10, [rsp + 160]", "movups xmm11, [rsp + 176]",
    "movups xmm12, [rsp + 192]", "movups xmm13, [rsp + 208]", "movups xmm14, [rsp + 224]",
    "movups xmm15, [rsp + 240]",
    "add rsp, 256",
    "pop r11", "pop r10", "pop r9", "pop r8",
    "pop rdi", "pop rsi", "pop rdx", "pop rcx", "pop rax",
    "pop rbx",
    "pop rbp",
    "ret",

    ".cfi_endproc",

    ".cfi_startproc",
    ".cfi_def_cfa rbp, 16",
    ".cfi_offset rbp, -16",
    ".macro host_call name, function",
    ".p2align 4",
    ".globl linnet_host_\\name",
    "linnet_host_\\name:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx", "push r12", "push r13", "push r14", "push r15",
    "sub rsp, 8",
    "call \\function",
    "leave",
    "ret",
    ".endm",
    "host_call switch_to, {switch_to}",
    "host_call snapshot, {snapshot}",
    ".cfi_endproc",

    ".cfi_startproc",
    ".cfi_def_cfa rbp, 16",
    ".cfi_offset rbp, -16",
    ".globl linnet_libcall_throw",
    "linnet_libcall_throw:",
    "push rbp",
    "mov rbp, rsp",
    "push r15", "push r14", "push r13", "push r12", "push rbx",
    "mov rsi, rsp",
    "mov rdx, rbp",
    "and rsp, -16",
    "call {throw}",
    "ud2",
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
    let words = fp as *const u64;
    // SAFETY: the caller's promise.
    CalleeSaved([1, 2, 3, 4, 5].map(|n| unsafe { *words.sub(n) }))
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
        saved.0[0] = *words;
        Position { fp: *words.add(1), pc: *words.add(2), saved }
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
        let saved = CalleeSaved([5, 4, 3, 2, 1].map(|n| *words.add(n)));
        Position { fp: *words.add(6), pc: *words.add(7), saved }
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
