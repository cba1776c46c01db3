//! Numbers of the protocol (uapi/linux/fuse.h), of which this is version 7.38.

pub const MAJOR: u32 = 7;
pub const MINOR: u32 = 38;
/// The oldest that has all structures as they are here.
pub const MINOR_LEAST: u32 = 23;

/// `struct fuse_in_header`, `struct fuse_out_header`
pub const HEADER_SIZE: usize = 40;
pub const ANSWER_HEADER_SIZE: usize = 16;

/// The folder itself.
pub const ROOT: u64 = 1;

/// What a request asks for.
pub mod operation {
    pub const LOOKUP: u32 = 1;
    pub const FORGET: u32 = 2;
    pub const GETATTR: u32 = 3;
    pub const SETATTR: u32 = 4;
    pub const READLINK: u32 = 5;
    pub const SYMLINK: u32 = 6;
    pub const MKNOD: u32 = 8;
    pub const MKDIR: u32 = 9;
    pub const UNLINK: u32 = 10;
    pub const RMDIR: u32 = 11;
    pub const RENAME: u32 = 12;
    pub const LINK: u32 = 13;
    pub const OPEN: u32 = 14;
    pub const READ: u32 = 15;
    pub const WRITE: u32 = 16;
    pub const STATFS: u32 = 17;
    pub const RELEASE: u32 = 18;
    pub const FSYNC: u32 = 20;
    pub const SETXATTR: u32 = 21;
    pub const GETXATTR: u32 = 22;
    pub const LISTXATTR: u32 = 23;
    pub const REMOVEXATTR: u32 = 24;
    pub const INIT: u32 = 26;
    pub const OPENDIR: u32 = 27;
    pub const READDIR: u32 = 28;
    pub const RELEASEDIR: u32 = 29;
    pub const FSYNCDIR: u32 = 30;
    pub const CREATE: u32 = 35;
    pub const INTERRUPT: u32 = 36;
    pub const DESTROY: u32 = 38;
    pub const IOCTL: u32 = 39;
    pub const BATCH_FORGET: u32 = 42;
    pub const FALLOCATE: u32 = 43;
    pub const READDIRPLUS: u32 = 44;
    pub const RENAME2: u32 = 45;
    pub const LSEEK: u32 = 46;
    pub const COPY_FILE_RANGE: u32 = 47;
    pub const SYNCFS: u32 = 50;
}

/// Flags of INIT.
pub mod feature {
    pub const ASYNC_READ: u32 = 1 << 0;
    pub const ATOMIC_TRUNCATION: u32 = 1 << 3;
    pub const BIG_WRITES: u32 = 1 << 5;
    /// What is cached is dropped when the file's time or size has changed.
    pub const INVALIDATES_DATA: u32 = 1 << 12;
    pub const READDIRPLUS: u32 = 1 << 13;
    pub const READDIRPLUS_AUTO: u32 = 1 << 14;
    pub const ASYNC_DIRECT_IO: u32 = 1 << 15;
    pub const PARALLEL_DIRECTORIES: u32 = 1 << 18;
    pub const MAX_PAGES: u32 = 1 << 22;
    /// We take away set-user-ID and set-group-ID, when the guest says so.
    pub const KILLS_PRIVILEGES: u32 = 1 << 28;
}

/// Which attributes SETATTR sets.
pub mod set {
    pub const MODE: u32 = 1 << 0;
    pub const USER: u32 = 1 << 1;
    pub const GROUP: u32 = 1 << 2;
    pub const SIZE: u32 = 1 << 3;
    pub const ACCESS_TIME: u32 = 1 << 4;
    pub const CHANGE_TIME: u32 = 1 << 5;
    pub const HANDLE: u32 = 1 << 6;
    pub const ACCESS_TIME_NOW: u32 = 1 << 7;
    pub const CHANGE_TIME_NOW: u32 = 1 << 8;
    pub const KILL_PRIVILEGES: u32 = 1 << 11;
}

/// Flag of GETATTR: there is a handle.
pub const GETATTR_HANDLE: u32 = 1;
/// Flags of OPEN and CREATE.
pub const OPEN_KILL_PRIVILEGES: u32 = 1;
/// In the answer: what is cached stays.
pub const KEEP_CACHE: u32 = 1 << 1;
/// Flags of WRITE. The first: the guest writes its cache back, through any handle.
pub const WRITE_CACHE: u32 = 1 << 0;
pub const WRITE_KILL_PRIVILEGES: u32 = 1 << 2;
/// Flag of FSYNC: without the times.
pub const FSYNC_DATA: u32 = 1;
