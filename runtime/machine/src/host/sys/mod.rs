//! The host kernel's system calls that the runtime uses, and nothing else of the host.
//!
//! There is no libc: every call returns the kernel's value, a negative errno on failure.
//!
//! | file     | calls about                                  |
//! |----------|----------------------------------------------|
//! | `memory` | mappings, the memory file                    |
//! | `file`   | descriptors: streams, terminals, disks       |
//! | `signal` | signals                                      |
//! | `thread` | threads, futexes                             |
//!
//! What is about the whole process is here.

mod file;
mod memory;
mod signal;
mod thread;

pub use file::*;
pub use memory::*;
pub use signal::*;
pub use thread::*;

use linnet_host::nr;
pub use linnet_host::syscall;

pub const EINTR: isize = -4;
pub const EAGAIN: i32 = -11;
pub const ENOENT: i32 = -2;

pub const CLOCK_REALTIME: usize = 0;
pub const CLOCK_MONOTONIC: usize = 1;

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Timespec {
    pub seconds: i64,
    pub nanoseconds: i64,
}

impl Timespec {
    /// From nanoseconds.
    pub fn from_ns(ns: u64) -> Self {
        Timespec { seconds: (ns / 1_000_000_000) as i64, nanoseconds: (ns % 1_000_000_000) as i64 }
    }

    /// To nanoseconds.
    pub fn ns(self) -> u64 {
        self.seconds as u64 * 1_000_000_000 + self.nanoseconds as u64
    }
}

/// Fill a buffer with random bytes.
///
/// # Safety
/// The buffer must be valid for writes of `len` bytes, or lie in guest memory.
pub unsafe fn getrandom(buffer: *mut u8, len: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::GETRANDOM, [buffer as usize, len, 0, 0, 0, 0]) }
}

/// End the process, all its threads.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: does not return.
        unsafe { syscall(nr::EXIT_GROUP, [status as usize, 0, 0, 0, 0, 0]) };
    }
}

/// Replace the process by a fresh start of its own file; returns only on failure.
///
/// # Safety
/// `argv` and `envp` must be null-terminated arrays of strings.
pub unsafe fn exec_self(argv: *const *const u8, envp: *const *const u8) -> isize {
    // SAFETY: the caller's promise.
    unsafe {
        syscall(
            nr::EXECVE,
            [c"/proc/self/exe".as_ptr() as usize, argv as usize, envp as usize, 0, 0, 0],
        )
    }
}
