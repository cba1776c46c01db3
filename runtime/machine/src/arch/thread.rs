//! How clone(2) makes a thread.

/// VM | FS | FILES | SIGHAND | THREAD | SYSVSEM.
pub const THREAD_FLAGS: usize = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000;
