//! What differs between the instruction sets. Each file has the same items: `syscall`, `nr`,
//! and in assembly `_start` and what the module calls.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "riscv64")]
pub use riscv64::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

/// System call numbers that all but x86-64 share (asm-generic/unistd.h).
#[cfg(not(target_arch = "x86_64"))]
pub mod nr {
    pub const OPENAT: usize = 56;
    pub const CLOSE: usize = 57;
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const EXIT_GROUP: usize = 94;
    pub const CLOCK_GETTIME: usize = 113;
    pub const MMAP: usize = 222;
}

use linnet_abi::context::Context;

#[unsafe(no_mangle)]
extern "C" fn linnet_libcall_memory_size(_: *mut Context) -> u32 {
    (crate::guest::MEMORY as u64 / linnet_abi::WASM_PAGE) as u32
}

#[unsafe(no_mangle)]
extern "C" fn linnet_libcall_memory_grow(_: *mut Context, _: u32) -> u32 {
    u32::MAX
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_memory_copy(to: *mut u8, from: *const u8, size: u64) {
    // SAFETY: translated code gives addresses of its memory.
    unsafe { core::ptr::copy(from, to, size as usize) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn linnet_libcall_memory_fill(to: *mut u8, value: u32, size: u64) {
    // SAFETY: as above.
    unsafe { core::ptr::write_bytes(to, value as u8, size as usize) };
}
