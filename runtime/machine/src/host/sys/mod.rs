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
//! | `time`   | times                                        |
//!
//! What is about the whole process is here.

mod file;
mod memory;
mod signal;
mod thread;
mod time;

pub use file::*;
pub use memory::*;
pub use signal::*;
pub use thread::*;
pub use time::*;

use linnet_host::nr;
pub use linnet_host::syscall;

pub const ENOENT: i32 = -2;
pub const EINTR: isize = -4;
pub const EBADF: i32 = -9;
pub const EIO: i32 = -5;
pub const EBUSY: i32 = -16;
pub const EAGAIN: i32 = -11;
pub const ENOMEM: i32 = -12;
pub const ENODEV: i32 = -19;
pub const EINVAL: i32 = -22;
pub const EMFILE: isize = -24;
pub const ENOSYS: isize = -38;
pub const EOPNOTSUPP: isize = -95;

/// Fill a buffer with random bytes.
pub fn getrandom(buffer: &mut [u8]) -> isize {
    // SAFETY: the buffer lives through the call.
    unsafe { syscall(nr::GETRANDOM, [buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0, 0]) }
}

/// End the process, all its threads.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: does not return.
        unsafe { syscall(nr::EXIT_GROUP, [status as usize, 0, 0, 0, 0, 0]) };
    }
}

/// The number of this process.
pub fn getpid() -> u32 {
    // SAFETY: touches no memory.
    unsafe { syscall(nr::GETPID, [0; 6]) as u32 }
}

/// The number of this process's group.
pub fn getpgrp() -> u32 {
    // SAFETY: touches no memory.
    unsafe { syscall(nr::GETPGID, [0; 6]) as u32 }
}

/// Replace the process by a fresh start of the program in file `fd`; returns only on failure.
///
/// # Safety
/// `argv` and `envp` must be null-terminated arrays of strings.
pub unsafe fn exec(fd: i32, argv: *const *const u8, envp: *const *const u8) -> isize {
    const AT_EMPTY_PATH: usize = 0x1000;
    let path = c"".as_ptr() as usize;
    // SAFETY: the caller's promise.
    unsafe {
        syscall(nr::EXECVEAT, [fd as usize, path, argv as usize, envp as usize, AT_EMPTY_PATH, 0])
    }
}
