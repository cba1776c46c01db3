//! The first instructions of the process, and the way to another stack.

use crate::start::start;
use core::arch::{asm, global_asm};

// The host starts the process with argc at the stack pointer.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {start}",
    "ud2",
    start = sym start,
);
#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, #0",
    "mov x30, #0",
    "mov x0, sp",
    "bl {start}",
    "udf #0",
    start = sym start,
);
#[cfg(target_arch = "riscv64")]
global_asm!(
    ".globl _start",
    "_start:",
    "li s0, 0",
    "li ra, 0",
    "mv a0, sp",
    "call {start}",
    "unimp",
    start = sym start,
);

/// Calls a function on the stack that ends at `top`.
///
/// # Safety
/// The stack must be there, and the one that this is called on not be needed any more.
pub unsafe fn call(top: usize, function: extern "C" fn(usize) -> !, argument: usize) -> ! {
    // SAFETY: the function does not return, so that nothing of the old stack is used again.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        asm!(
            "mov rsp, {top}", "xor ebp, ebp", "call {function}", "ud2",
            top = in(reg) top & !15, function = in(reg) function, in("rdi") argument,
            options(noreturn),
        );
        #[cfg(target_arch = "aarch64")]
        asm!(
            "mov sp, {top}", "mov x29, #0", "mov x30, #0", "blr {function}", "udf #0",
            top = in(reg) top & !15, function = in(reg) function, in("x0") argument,
            options(noreturn),
        );
        #[cfg(target_arch = "riscv64")]
        asm!(
            "mv sp, {top}", "li s0, 0", "li ra, 0", "jalr {function}", "unimp",
            top = in(reg) top & !15, function = in(reg) function, in("a0") argument,
            options(noreturn),
        );
    }
}
