//! x86-64, the System V calling convention.
//!
//! # Stacks
//!
//! A task has two native stacks in one region, found from either by masking the stack pointer:
//!
//! ```text
//!   region + REGION_SIZE   +---------------------------+
//!                          | Task: contexts, saved sps |  one page
//!   task (kernel stack top)+---------------------------+
//!                          | kernel stack, grows down  |
//!                          +---------------------------+
//!                          | hole                      |
//!   region + USER_TOP      +---------------------------+
//!                          | user stack, grows down    |
//!                          +---------------------------+
//!                          | hole (64 KiB guard)       |
//!   region                 +---------------------------+
//! ```
//!
//! User code enters the kernel always on an empty kernel stack: the entry stubs below set the stack
//! pointer to the address of the task, call the kernel, and come back to the user stack. If the
//! kernel asked for something meanwhile (a signal handler, another program), it is done from the
//! stub, on the user stack, by `linnet_run_actions`.

use crate::task::{ACTION, FORKING, THREAD, Task, USER, USER_SP};
use crate::unwind::Activation;
use core::arch::{asm, global_asm, naked_asm};

/// Numbers of the host's system calls.
pub mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const MMAP: usize = 9;
    pub const MPROTECT: usize = 10;
    pub const MUNMAP: usize = 11;
    pub const RT_SIGACTION: usize = 13;
    pub const RT_SIGRETURN: usize = 15;
    pub const IOCTL: usize = 16;
    pub const SCHED_YIELD: usize = 24;
    pub const MADVISE: usize = 28;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const FCNTL: usize = 72;
    pub const FTRUNCATE: usize = 77;
    pub const SIGALTSTACK: usize = 131;
    pub const PRCTL: usize = 157;
    pub const FUTEX: usize = 202;
    pub const SCHED_GETAFFINITY: usize = 204;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
    pub const OPENAT: usize = 257;
    pub const PPOLL: usize = 271;
    pub const FALLOCATE: usize = 285;
    pub const GETRANDOM: usize = 318;
    pub const MEMFD_CREATE: usize = 319;
    pub const LANDLOCK_CREATE_RULESET: usize = 444;
    pub const LANDLOCK_ADD_RULE: usize = 445;
    pub const LANDLOCK_RESTRICT_SELF: usize = 446;
}

/// The host's name for this ISA (uapi/linux/audit.h).
pub const AUDIT_ARCH: u32 = 0xc000_003e;

/// How clone(2) makes a thread: VM | FS | FILES | SIGHAND | THREAD | SYSVSEM.
pub const THREAD_FLAGS: usize = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000;

/// Make a system call of the host.
///
/// # Safety
/// What the call does to memory must be what its caller may do.
#[inline(always)]
pub unsafe fn syscall(nr: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the instruction clobbers rcx and r11 only; its effect on memory is the caller's duty.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") nr as isize => result,
            in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
            in("r10") a[3], in("r8") a[4], in("r9") a[5],
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// The host kernel's `struct sigaction`.
#[repr(C)]
#[derive(Debug)]
pub struct KernelSigaction {
    handler: usize,
    flags: usize,
    restorer: usize,
    mask: u64,
}

impl KernelSigaction {
    pub fn new(handler: usize, flags: usize) -> Self {
        const SA_RESTORER: usize = 0x0400_0000;
        let restorer = signal_restorer as *const () as usize;
        KernelSigaction { handler, flags: flags | SA_RESTORER, restorer, mask: 0 }
    }
}

#[unsafe(naked)]
unsafe extern "C" fn signal_restorer() {
    naked_asm!("mov eax, 15", "syscall") // rt_sigreturn
}

// The host starts the process with argc at the stack pointer.
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {main}",
    "ud2",
    main = sym crate::entry::start,
);

/// Start a host thread in `f(argument)` on the stack that ends at `top`. Negative errno on failure.
///
/// # Safety
/// The stack must stay the thread's own; `f` must not return.
pub unsafe fn spawn(top: usize, f: extern "C" fn(usize) -> !, argument: usize) -> isize {
    let result: isize;
    // SAFETY: the child continues at the same place with only the stack pointer changed and takes
    // the branch that never comes back here.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") nr::CLONE as isize => result,
            in("rdi") THREAD_FLAGS, in("rsi") top & !15, in("rdx") 0, in("r10") 0, in("r8") 0,
            in("r12") argument, in("r13") f as usize,
            lateout("rcx") _, lateout("r11") _,
        );
    }
    result
}

/// Save the callee-saved registers on this stack, its pointer at `save`, and go on at `to`.
///
/// The final jump is not a `ret`: the return-stack predictor would be wrong every time. MXCSR and
/// the x87 control word never change.
///
/// # Safety
/// `to` must come from this function or from [`prepare_stack`], and be used once.
#[unsafe(naked)]
pub unsafe extern "C" fn switch(save: *mut usize, to: usize) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "pop rcx",
        "jmp rcx",
    )
}

#[unsafe(naked)]
unsafe extern "C" fn first_switch() {
    naked_asm!("mov rdi, rbx", "xor ebp, ebp", "call r12", "ud2")
}

/// Lay out an empty stack so that [`switch`] to the result calls `f(task)`.
///
/// # Safety
/// `top` must be the end of a mapped stack that nobody uses, 16-aligned.
pub unsafe fn prepare_stack(
    top: usize,
    f: extern "C" fn(&'static Task) -> !,
    task: usize,
) -> usize {
    let frame: [usize; 7] = [0, 0, 0, f as usize, task, 0, first_switch as *const () as usize];
    let sp = top - 16 - size_of_val(&frame);
    // SAFETY: the caller's promise. The words are r15, r14, r13, r12, rbx, rbp, return address.
    unsafe { (sp as *mut [usize; 7]).write(frame) };
    sp
}

/// Call `f(task, a, b)` on the task's empty kernel stack; to be called on its user stack.
///
/// # Safety
/// No frame on the kernel stack may be needed any more.
#[unsafe(naked)]
pub unsafe extern "C" fn call_on_kernel_stack(
    task: &Task,
    f: extern "C" fn(&Task, u64, u64) -> u64,
    a: u64,
    b: u64,
) -> u64 {
    naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "mov [rdi + {user_sp}], rsp",
        "mov rsp, rdi",
        "mov rax, rsi",
        "mov rsi, rdx",
        "mov rdx, rcx",
        "call rax",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
        user_sp = const USER_SP,
    )
}

/// Leave whatever stack this is and call `f(task)` on an empty one that ends at `top`.
///
/// # Safety
/// Nothing on the stacks that are left may be needed any more.
#[unsafe(naked)]
pub unsafe extern "C" fn enter_user(task: &Task, f: extern "C" fn(&Task) -> !, top: usize) -> ! {
    naked_asm!("mov rsp, rdx", "xor ebp, ebp", "call rsi", "ud2")
}

/// Call `f(a, b, c)` below `sp`, never to return here.
///
/// # Safety
/// `sp` must lie in a mapped stack, with nothing needed below it.
#[unsafe(naked)]
pub unsafe extern "C" fn jump_to(
    sp: usize,
    f: extern "C" fn(usize, usize, usize) -> !,
    a: usize,
    b: usize,
    c: usize,
) -> ! {
    naked_asm!(
        "and rdi, -16",
        "mov rsp, rdi",
        "mov rax, rsi",
        "mov rdi, rdx",
        "mov rsi, rcx",
        "mov rdx, r8",
        "xor ebp, ebp",
        "call rax",
        "ud2",
    )
}

/// The callee-saved registers besides the frame pointer: rbx, r12, r13, r14, r15.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct CalleeSaved([u64; 5]);

impl CalleeSaved {
    /// Put the value of a register that a prologue saved; numbers are the ISA's.
    pub fn set(&mut self, register: u32, value: u64) {
        match register {
            3 => self.0[0] = value,
            12..=15 => self.0[register as usize - 11] = value,
            _ => {}
        }
    }
}

/// Enter an exception handler at `pc`.
///
/// # Safety
/// `pc` must be a landing pad of the frame that `sp` and `fp` describe, and `saved` what that
/// frame had in the callee-saved registers at its call.
#[unsafe(naked)]
pub unsafe extern "C" fn enter_handler(pc: u64, sp: u64, fp: u64, saved: *const CalleeSaved) -> ! {
    naked_asm!(
        "mov rsp, rsi",
        "mov rbp, rdx",
        "mov rbx, [rcx]",
        "mov r12, [rcx + 8]",
        "mov r13, [rcx + 16]",
        "mov r14, [rcx + 24]",
        "mov r15, [rcx + 32]",
        "xor eax, eax",
        "xor edx, edx",
        "jmp rdi",
    )
}

/// Frame pointer and return address of the caller's frame.
#[inline(always)]
pub fn frame_pointer() -> u64 {
    let fp;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rbp", out(reg) fp, options(nomem, nostack)) };
    fp
}

/// Stack pointer that [`switch`] saved, to the frame pointer and program counter of its caller.
///
/// # Safety
/// The task must not be running.
pub unsafe fn switched_frame(sp: usize) -> (u64, u64) {
    let words = sp as *const u64;
    // SAFETY: `switch` left r15, r14, r13, r12, rbx, rbp and the return address there.
    unsafe { (*words.add(5), *words.add(6)) }
}

/// One round of a spin loop.
#[inline(always)]
pub fn spin_hint() {
    core::hint::spin_loop();
}

// --------------------------------------------------------------------------------------------
// User code to kernel
// --------------------------------------------------------------------------------------------

// linnet_user_syscall(context, nr, a0..a5): rdi, esi, rdx, rcx, r8, r9, two on the stack.
// linnet_kernel_syscall(context, nr, pc, a0..a5): rdi, esi, edx, rcx, r8, r9, three on the stack.
//
// Calls that duplicate the caller's frames (clone, clone3) take a slower way that has all
// callee-saved registers on the user stack, where the child finds them in its copy.
global_asm!(
    ".macro activation", // {fp, pc, rbx, r12, r13, r14, r15, previous, faulted}, rsp 16-aligned after
    "push 0", "push 0",
    "push r15", "push r14", "push r13", "push r12", "push qword ptr [rbp - 8]",
    "push qword ptr [rbp + 8]", "push qword ptr [rbp]",
    "mov rdi, rbx",
    "mov rsi, rax",
    "mov rdx, rsp",
    "call {run_actions}",
    ".endm",

    ".p2align 4",
    ".globl linnet_user_syscall",
    "linnet_user_syscall:",
    "cmp esi, 220",
    "je linnet_user_forking_syscall",
    "cmp esi, 435",
    "je linnet_user_forking_syscall",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "lea rbx, [rdi - {user}]",
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
    "2:",
    "mov rdi, rbx",
    "call linnet_kernel_syscall",
    "lea rsp, [rbp - 8]",
    "cmp dword ptr [rbx + {action}], 0",
    "jne 3f",
    "pop rbx",
    "pop rbp",
    "ret",
    "3:",
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
    "lea rbx, [rdi - {user}]",
    "mov [rbx + {user_sp}], rsp",
    "mov rsp, rbx",
    "push 0",
    "push qword ptr [rbp + 32]",
    "push qword ptr [rbp + 24]",
    "push qword ptr [rbp + 16]",
    "xchg esi, edx",
    "jmp 2b",

    ".p2align 4",
    ".globl linnet_user_fork",
    "linnet_user_fork:",
    "mov edx, 17", // SIGCHLD
    "jmp 4f",
    ".globl linnet_user_vfork",
    "linnet_user_vfork:",
    "mov edx, 0x4111", // CLONE_VM | CLONE_VFORK | SIGCHLD
    "4:",
    "mov esi, 220",
    "xor ecx, ecx",
    "xor r8d, r8d",
    "xor r9d, r9d",
    "linnet_user_forking_syscall:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx", "push r12", "push r13", "push r14", "push r15",
    "sub rsp, 8",
    "lea rbx, [rdi - {user}]",
    "mov [rbx + {user_sp}], rsp",
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
    "mov dword ptr [rbx + {forking}], 0",
    "mov rsp, [rbx + {user_sp}]",
    "5:", // parent and child
    "lea rbp, [rsp + 48]",
    "cmp dword ptr [rbx + {action}], 0",
    "je 6f",
    "sub rsp, 8",
    "push 0", "push 0",
    "push qword ptr [rbp - 40]", "push qword ptr [rbp - 32]", "push qword ptr [rbp - 24]", "push qword ptr [rbp - 16]", "push qword ptr [rbp - 8]",
    "push qword ptr [rbp + 8]", "push qword ptr [rbp]",
    "mov rdi, rbx",
    "mov rsi, rax",
    "mov rdx, rsp",
    "call {run_actions}",
    "6:",
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
    "lea rbx, [rdi - {user}]",
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
    "mov dword ptr [rbx + {forking}], 0",
    "lea rsp, [rbp - 8]",
    "cmp dword ptr [rbx + {action}], 0",
    "jne 3b",
    "pop rbx",
    "pop rbp",
    "ret",

    ".globl linnet_resume_forked",
    "linnet_resume_forked:",
    "mov rbx, rdi",
    "mov rsp, [rbx + {user_sp}]",
    "xor eax, eax",
    "jmp 5b",

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
    "lea rbx, [rdi - {user}]",
    "and rsp, -16",
    "mov rdi, rbx",
    "call {poll}",
    "cmp dword ptr [rbx + {action}], 0",
    "je 7f",
    "sub rsp, 8",
    "activation",
    "7:",
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

    user = const USER,
    user_sp = const USER_SP,
    action = const ACTION,
    forking = const FORKING,
    thread = const THREAD,
    run_actions = sym crate::user::run_actions,
    poll = sym crate::user::poll,
    throw = sym crate::unwind::throw,
);

unsafe extern "C" {
    /// First user instructions of a forked child: returns 0 from the call that made it.
    #[link_name = "linnet_resume_forked"]
    pub fn resume_forked(task: *const core::ffi::c_void) -> !;
}

// memory.copy and memory.fill. Both touch guest memory and may fault anywhere in it, so both keep
// a frame: the unwinder finds the caller through it. Small sizes load everything before they
// store, so that overlapping ranges are right.
global_asm!(
    ".p2align 4",
    ".globl linnet_libcall_memory_copy",
    "linnet_libcall_memory_copy:", // rdi to, rsi from, rdx size
    "push rbp",
    "mov rbp, rsp",
    "cmp rdx, 32",
    "ja 3f",
    "cmp rdx, 16",
    "jae 2f",
    "cmp edx, 8",
    "jae 5f",
    "cmp edx, 4",
    "jae 6f",
    "test edx, edx",
    "jz 9f",
    "movzx eax, byte ptr [rsi]",
    "movzx ecx, byte ptr [rsi + rdx - 1]",
    "cmp edx, 2",
    "jbe 4f",
    "movzx r8d, byte ptr [rsi + 1]",
    "mov [rdi + 1], r8b",
    "4:",
    "mov [rdi], al",
    "mov [rdi + rdx - 1], cl",
    "9:",
    "pop rbp",
    "ret",
    "6:",
    "mov eax, [rsi]",
    "mov ecx, [rsi + rdx - 4]",
    "mov [rdi], eax",
    "mov [rdi + rdx - 4], ecx",
    "pop rbp",
    "ret",
    "5:",
    "mov rax, [rsi]",
    "mov rcx, [rsi + rdx - 8]",
    "mov [rdi], rax",
    "mov [rdi + rdx - 8], rcx",
    "pop rbp",
    "ret",
    "2:",
    "movups xmm0, [rsi]",
    "movups xmm1, [rsi + rdx - 16]",
    "movups [rdi], xmm0",
    "movups [rdi + rdx - 16], xmm1",
    "pop rbp",
    "ret",
    "3:",
    "mov rax, rdi",
    "sub rax, rsi",
    "cmp rax, rdx",
    "jb 7f", // `to` lies inside the source: backwards
    "cmp rdx, 512",
    "jae 8f",
    "movups xmm2, [rsi + rdx - 32]", // the last 32 bytes, stored last
    "movups xmm3, [rsi + rdx - 16]",
    "lea r8, [rdi + rdx - 32]",
    "sub rdx, 32",
    "2:",
    "movups xmm0, [rsi]",
    "movups xmm1, [rsi + 16]",
    "movups [rdi], xmm0",
    "movups [rdi + 16], xmm1",
    "add rsi, 32",
    "add rdi, 32",
    "sub rdx, 32",
    "ja 2b",
    "movups [r8], xmm2",
    "movups [r8 + 16], xmm3",
    "pop rbp",
    "ret",
    "8:",
    "mov rcx, rdx",
    "rep movsb",
    "pop rbp",
    "ret",
    "7:",
    "movups xmm2, [rsi]", // the first 32 bytes, stored last
    "movups xmm3, [rsi + 16]",
    "2:",
    "movups xmm0, [rsi + rdx - 16]",
    "movups xmm1, [rsi + rdx - 32]",
    "movups [rdi + rdx - 16], xmm0",
    "movups [rdi + rdx - 32], xmm1",
    "sub rdx, 32",
    "cmp rdx, 32",
    "ja 2b",
    "movups [rdi], xmm2",
    "movups [rdi + 16], xmm3",
    "pop rbp",
    "ret",
    ".p2align 4",
    ".globl linnet_libcall_memory_fill",
    "linnet_libcall_memory_fill:", // rdi to, esi value, rdx size
    "push rbp",
    "mov rbp, rsp",
    "movzx eax, sil",
    "mov rcx, 0x0101010101010101",
    "imul rax, rcx",
    "cmp rdx, 16",
    "jae 2f",
    "cmp edx, 8",
    "jae 5f",
    "cmp edx, 4",
    "jae 6f",
    "test edx, edx",
    "jz 9f",
    "mov [rdi], al",
    "mov [rdi + rdx - 1], al",
    "cmp edx, 2",
    "jbe 9f",
    "mov [rdi + 1], al",
    "9:",
    "pop rbp",
    "ret",
    "6:",
    "mov [rdi], eax",
    "mov [rdi + rdx - 4], eax",
    "pop rbp",
    "ret",
    "5:",
    "mov [rdi], rax",
    "mov [rdi + rdx - 8], rax",
    "pop rbp",
    "ret",
    "2:",
    "cmp rdx, 512",
    "jae 8f",
    "movq xmm0, rax",
    "punpcklqdq xmm0, xmm0",
    "lea r8, [rdi + rdx - 16]",
    "3:",
    "movups [rdi], xmm0",
    "add rdi, 16",
    "cmp rdi, r8",
    "jb 3b",
    "movups [r8], xmm0",
    "pop rbp",
    "ret",
    "8:",
    "mov rcx, rdx",
    "rep stosb",
    "pop rbp",
    "ret",
);

// What the compiler calls by these names, and a libc would have.
global_asm!(
    ".globl memcpy",
    ".globl memmove",
    "memcpy:",
    "memmove:",
    "push rdi",
    "call linnet_libcall_memory_copy",
    "pop rax",
    "ret",
    ".globl memset",
    "memset:",
    "push rdi",
    "call linnet_libcall_memory_fill",
    "pop rax",
    "ret",
    ".globl strlen",
    "strlen:",
    "xor eax, eax",
    "2:",
    "cmp byte ptr [rdi + rax], 0",
    "je 3f",
    "inc rax",
    "jmp 2b",
    "3:",
    "ret",
    ".globl bcmp",
    ".globl memcmp",
    "bcmp:",
    "memcmp:",
    "mov rcx, rdx",
    "xor eax, eax",
    "cmp rax, rax", // equal, if there is nothing to compare
    "repe cmpsb",
    "je 2f",
    "movzx eax, byte ptr [rdi - 1]",
    "movzx ecx, byte ptr [rsi - 1]",
    "sub eax, ecx",
    "2:",
    "ret",
);

// --------------------------------------------------------------------------------------------
// Host signal frames
// --------------------------------------------------------------------------------------------

/// A host signal frame, by the address of its `ucontext` (arch/x86/include/uapi/asm/ucontext.h):
///
/// ```text
///   uc - 8   return address of the handler   <- start of the frame
///   uc       ucontext: flags, link, stack at 16, registers from 40, fpstate pointer at 224
///   ...      siginfo
///   fpstate  64-aligned; its length is in its software-reserved bytes
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Frame(usize);

impl Frame {
    /// # Safety
    /// `uc` must be the ucontext of a live signal frame.
    pub unsafe fn new(uc: usize) -> Self {
        Frame(uc)
    }

    fn word(self, offset: usize) -> u64 {
        // SAFETY: the frame is live (promise at `new`), and all offsets used lie in a ucontext.
        unsafe { *((self.0 + offset) as *const u64) }
    }

    fn set_word(self, offset: usize, value: u64) {
        // SAFETY: as above; the frame is ours to write.
        unsafe { *((self.0 + offset) as *mut u64) = value };
    }

    pub fn address(self) -> usize {
        self.0
    }

    pub fn pc(self) -> u64 {
        self.word(168)
    }

    pub fn sp(self) -> u64 {
        self.word(160)
    }

    pub fn fp(self) -> u64 {
        self.word(120)
    }

    /// Was the faulting access a write? (bit 1 of the page fault's error code)
    pub fn is_write(self) -> bool {
        self.word(192) & 2 != 0
    }

    /// The interrupted code as an activation that an unwinder can pass.
    pub fn activation(self) -> Activation {
        let saved = [128, 72, 80, 88, 96].map(|offset| self.word(offset));
        Activation::new(self.fp(), self.pc(), CalleeSaved(saved), true)
    }

    fn end(self) -> usize {
        const XSAVE_MAGIC: u32 = 0x4650_5853;
        let fpstate = self.word(224) as usize;
        if fpstate == 0 {
            return self.0 + 304 + 128;
        }
        // SAFETY: the kernel put 512 bytes of FXSAVE there; bytes 464.. describe what follows.
        let (magic, size) =
            unsafe { (*((fpstate + 464) as *const u32), *((fpstate + 468) as *const u32)) };
        if magic == XSAVE_MAGIC { fpstate + size as usize } else { fpstate + 512 }
    }

    /// Copy the frame to the stack below `top` and return the copy.
    ///
    /// # Safety
    /// The memory below `top` must be a mapped stack with nothing needed there.
    pub unsafe fn move_below(self, top: usize) -> Frame {
        let start = self.0 - 8;
        let size = self.end() - start;
        // Both must have the same distance from a 64-byte line, for the sake of fpstate.
        let room = (top - size) & !63;
        let to = room - 64 + (start & 63);
        // SAFETY: the caller's promise.
        unsafe { core::ptr::copy_nonoverlapping(start as *const u8, to as *mut u8, size) };
        let copy = Frame(to + 8);
        if self.word(224) != 0 {
            copy.set_word(224, self.word(224) - self.0 as u64 + copy.0 as u64);
        }
        copy
    }

    /// End of what must be kept of the stack below this frame's code.
    pub fn below(self) -> usize {
        self.0 - 8 - 64
    }

    /// Go on where the signal interrupted, with the signal stack of the thread that this now is.
    ///
    /// # Safety
    /// The frame must describe code that may run on this thread.
    pub unsafe fn resume(self, signal_stack: (usize, usize)) -> ! {
        self.set_word(16, signal_stack.0 as u64);
        self.set_word(24, 0);
        self.set_word(32, signal_stack.1 as u64);
        // SAFETY: rt_sigreturn expects the stack pointer behind the frame's return address.
        unsafe {
            asm!("mov rsp, {}", "mov eax, 15", "syscall", "ud2", in(reg) self.0, options(noreturn))
        }
    }
}
