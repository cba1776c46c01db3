//! Descriptors: streams, terminals, disks.

use super::{Timespec, syscall};
use core::ffi::CStr;
use core::ptr;
use linnet_host::nr;

/// Open `/dev/null` for each standard stream that is closed, so that no file of ours takes its place.
pub fn open_standard_streams() {
    const F_GETFD: usize = 1;
    const O_RDWR: usize = 2;
    const AT_FDCWD: usize = -100_isize as usize;
    for fd in 0..3 {
        // SAFETY: asks about a descriptor; opens a file.
        unsafe {
            if syscall(nr::FCNTL, [fd, F_GETFD, 0, 0, 0, 0]) < 0 {
                let path = c"/dev/null".as_ptr() as usize;
                syscall(nr::OPENAT, [AT_FDCWD, path, O_RDWR, 0, 0, 0]);
            }
        }
    }
}

/// Close a file of the runtime's own.
pub fn close(fd: i32) {
    // SAFETY: closing touches no memory.
    unsafe { syscall(nr::CLOSE, [fd as usize, 0, 0, 0, 0, 0]) };
}

/// Why a file cannot be used: what was tried, and the host's error.
#[derive(Debug)]
pub struct FileError {
    what: &'static str,
    errno: i32,
}

impl core::fmt::Display for FileError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let reason = match self.errno {
            2 => "No such file or directory",
            11 => "another process uses it",
            13 => "Permission denied",
            21 => "Is a directory",
            30 => "Read-only file system",
            errno => return write!(f, "cannot {} it (errno {errno})", self.what),
        };
        f.write_str(reason)
    }
}

fn checked(what: &'static str, result: isize) -> Result<usize, FileError> {
    usize::try_from(result).map_err(|_| FileError { what, errno: -result as i32 })
}

/// Number of the descriptor of disk 0.
const FIRST_DISK: usize = 100;

/// Open a file as disk `n` and lock it: nobody else may write what this machine uses.
pub fn open_disk(path: &CStr, read_only: bool, n: u32) -> Result<i32, FileError> {
    const AT_FDCWD: usize = -100_isize as usize;
    const O_RDWR: usize = 2;
    const F_DUPFD: usize = 0;
    const LOCK_SHARED: usize = 1;
    const LOCK_EXCLUSIVE: usize = 2;
    const LOCK_AT_ONCE: usize = 4;
    let place = FIRST_DISK + n as usize;
    let (flags, lock) = if read_only { (0, LOCK_SHARED) } else { (O_RDWR, LOCK_EXCLUSIVE) };
    // SAFETY: the path lives through the call; the others are about descriptors.
    unsafe {
        let path = path.as_ptr() as usize;
        let fd = checked("open", syscall(nr::OPENAT, [AT_FDCWD, path, flags, 0, 0, 0]))?;
        checked("lock", syscall(nr::FLOCK, [fd, lock | LOCK_AT_ONCE, 0, 0, 0, 0]))?;
        let moved = checked("keep", syscall(nr::FCNTL, [fd, F_DUPFD, place, 0, 0, 0]))?;
        close(fd as i32);
        Ok(moved as i32)
    }
}

/// The descriptor of disk `n` of the machine that this process was before a restart.
pub fn inherited_disk(n: u32) -> i32 {
    FIRST_DISK as i32 + n as i32
}

/// Size of a file or a block device in bytes.
pub fn size(fd: i32) -> Result<u64, FileError> {
    const SEEK_END: usize = 2;
    // SAFETY: moves a position that nothing uses.
    let end = unsafe { syscall(nr::LSEEK, [fd as usize, 0, SEEK_END, 0, 0, 0]) };
    checked("measure", end).map(|end| end as u64)
}

/// A part of memory, as readv(2) and writev(2) take it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct IoVec {
    pub start: *mut u8,
    pub len: usize,
}

/// Read at an offset of a file; bytes or a negative errno.
///
/// # Safety
/// The parts must be valid for writes, or lie in guest memory.
pub unsafe fn preadv(fd: i32, parts: &[IoVec], offset: u64) -> isize {
    let list = parts.as_ptr() as usize;
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::PREADV, [fd as usize, list, parts.len(), offset as usize, 0, 0]) }
}

/// Write at an offset of a file; bytes or a negative errno.
///
/// # Safety
/// The parts must be valid for reads, or lie in guest memory.
pub unsafe fn pwritev(fd: i32, parts: &[IoVec], offset: u64) -> isize {
    let list = parts.as_ptr() as usize;
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::PWRITEV, [fd as usize, list, parts.len(), offset as usize, 0, 0]) }
}

/// Put what was written to a file on its disk.
pub fn fdatasync(fd: i32) -> isize {
    // SAFETY: touches no memory.
    unsafe { syscall(nr::FDATASYNC, [fd as usize, 0, 0, 0, 0, 0]) }
}

/// Read into `len` bytes at `buffer`.
///
/// # Safety
/// The buffer must be valid for writes of `len` bytes, or lie in guest memory.
pub unsafe fn read(fd: i32, buffer: *mut u8, len: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::READ, [fd as usize, buffer as usize, len, 0, 0, 0]) }
}

/// Write `len` bytes at `buffer`.
///
/// # Safety
/// The buffer must be valid for reads of `len` bytes, or lie in guest memory.
pub unsafe fn write(fd: i32, buffer: *const u8, len: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::WRITE, [fd as usize, buffer as usize, len, 0, 0, 0]) }
}

/// Control a terminal.
///
/// # Safety
/// `argument` must fit `request`.
pub unsafe fn ioctl(fd: i32, request: usize, argument: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::IOCTL, [fd as usize, request, argument, 0, 0, 0]) }
}

pub const POLLIN: i16 = 1;
pub const POLLOUT: i16 = 4;

/// Wait until `events` are there on `fd`: 1, or 0 after the time, or a negative errno.
pub fn poll(fd: i32, events: i16, timeout: Option<Timespec>) -> isize {
    #[repr(C)]
    struct PollFd {
        fd: i32,
        events: i16,
        revents: i16,
    }
    let mut pollfd = PollFd { fd, events, revents: 0 };
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: both structures live through the call.
    unsafe { syscall(nr::PPOLL, [&raw mut pollfd as usize, 1, timeout as usize, 0, 8, 0]) }
}
