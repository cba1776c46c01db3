//! Numbers of the host's system calls on the ISAs that have Linux's generic table
//! (include/uapi/asm-generic/unistd.h).

pub const IOCTL: usize = 29;
pub const FCNTL: usize = 25;
pub const FLOCK: usize = 32;
pub const FTRUNCATE: usize = 46;
pub const FALLOCATE: usize = 47;
pub const OPENAT: usize = 56;
pub const CLOSE: usize = 57;
pub const LSEEK: usize = 62;
pub const READ: usize = 63;
pub const WRITE: usize = 64;
pub const PREADV: usize = 69;
pub const PWRITEV: usize = 70;
pub const PPOLL: usize = 73;
pub const FDATASYNC: usize = 83;
pub const EXIT_GROUP: usize = 94;
pub const FUTEX: usize = 98;
pub const CLOCK_GETTIME: usize = 113;
pub const SCHED_GETAFFINITY: usize = 123;
pub const SCHED_YIELD: usize = 124;
pub const SIGALTSTACK: usize = 132;
pub const RT_SIGACTION: usize = 134;
pub const RT_SIGRETURN: usize = 139;
pub const PRCTL: usize = 167;
pub const MUNMAP: usize = 215;
pub const CLONE: usize = 220;
pub const EXECVE: usize = 221;
pub const MMAP: usize = 222;
pub const MPROTECT: usize = 226;
pub const MADVISE: usize = 233;
pub const GETRANDOM: usize = 278;
pub const MEMFD_CREATE: usize = 279;
pub const LANDLOCK_CREATE_RULESET: usize = 444;
pub const LANDLOCK_ADD_RULE: usize = 445;
pub const LANDLOCK_RESTRICT_SELF: usize = 446;
