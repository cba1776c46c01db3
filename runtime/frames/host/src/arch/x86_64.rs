use crate::{guest, throw};
use core::arch::{asm, global_asm};

/// System call numbers (arch/x86/entry/syscalls/syscall_64.tbl).
pub mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const MMAP: usize = 9;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
    pub const OPENAT: usize = 257;
}

/// Makes a system call of the host.
///
/// # Safety
/// What the call does to memory must be what its caller may do.
pub unsafe fn syscall(nr: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the instruction changes the registers named here.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") nr => result,
            in("rdi") a[0], in("rsi") a[1], in("rdx") a[2],
            in("r10") a[3], in("r8") a[4], in("r9") a[5],
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    result
}

global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rbx, rsp",
    "and rsp, -16",
    "call {stack}",
    "mov rsp, rax",
    "mov rdi, rbx",
    "call {start}",
    "ud2",
    // A call with up to four arguments; the function gets the caller's position as one more.
    ".macro boundary name, argument, function",
    ".globl \\name",
    "\\name:",
    "push rbp",
    "mov rbp, rsp",
    "sub rsp, 64",
    "mov rax, [rbp]",
    "mov [rsp], rax",
    "mov rax, [rbp + 8]",
    "mov [rsp + 8], rax",
    "mov [rsp + 16], rbx",
    "mov [rsp + 24], r12",
    "mov [rsp + 32], r13",
    "mov [rsp + 40], r14",
    "mov [rsp + 48], r15",
    "mov \\argument, rsp",
    "call \\function",
    "leave",
    "ret",
    ".endm",
    "boundary linnet_user_syscall, r8, {host_call}",
    "boundary linnet_libcall_atomic_wait32, r8, {wait32}",
    "boundary linnet_libcall_throw, rsi, {throw}",
    // Preserves every register.
    ".globl linnet_libcall_poll",
    "linnet_libcall_poll:",
    "push rbp",
    "mov rbp, rsp",
    "sub rsp, 400",
    "mov [rsp + 64], rax",
    "mov [rsp + 72], rcx",
    "mov [rsp + 80], rdx",
    "mov [rsp + 88], rsi",
    "mov [rsp + 96], rdi",
    "mov [rsp + 104], r8",
    "mov [rsp + 112], r9",
    "mov [rsp + 120], r10",
    "mov [rsp + 128], r11",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "movups [rsp + 144 + 16 * \\n], xmm\\n",
    ".endr",
    "mov rax, [rbp]",
    "mov [rsp], rax",
    "mov rax, [rbp + 8]",
    "mov [rsp + 8], rax",
    "mov [rsp + 16], rbx",
    "mov [rsp + 24], r12",
    "mov [rsp + 32], r13",
    "mov [rsp + 40], r14",
    "mov [rsp + 48], r15",
    "mov rsi, rsp",
    "call {poll}",
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15",
    "movups xmm\\n, [rsp + 144 + 16 * \\n]",
    ".endr",
    "mov rax, [rsp + 64]",
    "mov rcx, [rsp + 72]",
    "mov rdx, [rsp + 80]",
    "mov rsi, [rsp + 88]",
    "mov rdi, [rsp + 96]",
    "mov r8, [rsp + 104]",
    "mov r9, [rsp + 112]",
    "mov r10, [rsp + 120]",
    "mov r11, [rsp + 128]",
    "leave",
    "ret",
    stack = sym crate::sys::stack,
    start = sym crate::start,
    host_call = sym guest::host_call,
    wait32 = sym guest::wait32,
    throw = sym throw::throw,
    poll = sym guest::poll,
);

// Rust's library for this target leaves these to a C library.

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise is C's.
    unsafe {
        asm!("rep movsb", inout("rdi") to => _, inout("rsi") from => _, inout("rcx") size => _)
    };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, size: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= size {
        // SAFETY: going up overwrites nothing that is still to be read.
        return unsafe { memcpy(to, from, size) };
    }
    // SAFETY: the caller's promise is C's; the direction flag is clear behind it.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rdi") to.wrapping_add(size).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(size).wrapping_sub(1) => _,
            inout("rcx") size => _,
        );
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise is C's.
    unsafe {
        asm!("rep stosb", inout("rdi") to => _, inout("rcx") size => _, in("al") value as u8)
    };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, size: usize) -> i32 {
    for i in 0..size {
        // SAFETY: the caller's promise is C's. Volatile: this must not become a call of itself.
        let (a, b) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, size: usize) -> i32 {
    // SAFETY: the caller's promise is C's.
    unsafe { memcmp(a, b, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut len = 0;
    // SAFETY: the caller's promise is C's.
    while unsafe { text.add(len).read_volatile() } != 0 {
        len += 1;
    }
    len
}
