//! The host's system calls, the first instructions of the process and of its threads.

use crate::sys::THREAD_FLAGS;
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
