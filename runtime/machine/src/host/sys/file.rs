//! Descriptors: streams, terminals, disks.

use super::time::Timespec;
use core::ffi::CStr;
use core::ptr;
use linnet_host::{nr, syscall};
pub use linnet_virtio::memory::IoVec;

const EINTR: isize = -4;
const EIO: isize = -5;

/// Fill each standard stream that is closed, so that no file of ours takes its place. What fills it can
/// be neither read nor written, as if it were closed, and needs nothing that a root directory may lack.
/// False if the host refuses that.
pub fn fill_standard_streams() -> bool {
    const F_GETFD: usize = 1;
    (0..3).all(|fd| {
        // SAFETY: asks about a descriptor.
        let is_open = unsafe { syscall(nr::FCNTL, [fd, F_GETFD, 0, 0, 0, 0]) >= 0 };
        is_open || open_path(c"/") == fd as i32
    })
}

/// A descriptor that stands for a file, to execute it or to name it; or a negative errno. It stays open
/// when the process starts another program.
pub fn open_path(path: &CStr) -> i32 {
    const AT_FDCWD: usize = -100_isize as usize;
    const O_PATH: usize = 0o1000_0000;
    // SAFETY: the path lives through the call.
    unsafe { syscall(nr::OPENAT, [AT_FDCWD, path.as_ptr() as usize, O_PATH, 0, 0, 0]) as i32 }
}

/// How many mappings the host allows a process, if it says so.
pub fn mapping_limit() -> Option<u32> {
    const AT_FDCWD: usize = -100_isize as usize;
    let path = c"/proc/sys/vm/max_map_count".as_ptr() as usize;
    let mut text = [0; 16];
    // SAFETY: the path and the buffer live through the calls.
    let read = unsafe {
        let fd = syscall(nr::OPENAT, [AT_FDCWD, path, 0, 0, 0, 0]);
        if fd < 0 {
            return None;
        }
        let read =
            syscall(nr::READ, [fd as usize, text.as_mut_ptr() as usize, text.len(), 0, 0, 0]);
        close(fd as i32);
        usize::try_from(read).ok()?
    };
    core::str::from_utf8(&text[..read]).ok()?.trim_end().parse().ok()
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

/// What an errno says of a file.
pub fn reason(errno: i32) -> &'static str {
    match errno {
        2 => "No such file or directory",
        13 => "Permission denied",
        20 => "Not a directory",
        _ => "the host refuses it",
    }
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

/// Open a file as a disk and lock it: nobody else may write what this machine uses. It stays open when the
/// process starts again.
pub fn open_disk(path: &CStr, read_only: bool) -> Result<i32, FileError> {
    const AT_FDCWD: usize = -100_isize as usize;
    const O_RDWR: usize = 2;
    let flags = if read_only { 0 } else { O_RDWR };
    // SAFETY: the path lives through the call.
    let fd = checked("open", unsafe {
        syscall(nr::OPENAT, [AT_FDCWD, path.as_ptr() as usize, flags, 0, 0, 0])
    })? as i32;
    lock(fd, read_only)?;
    Ok(fd)
}

/// Lock a disk: nobody else may write what this machine uses, and, unless it only reads, nobody read it.
pub fn lock(fd: i32, read_only: bool) -> Result<(), FileError> {
    const LOCK_SHARED: usize = 1;
    const LOCK_EXCLUSIVE: usize = 2;
    const LOCK_AT_ONCE: usize = 4;
    let lock = if read_only { LOCK_SHARED } else { LOCK_EXCLUSIVE };
    // SAFETY: touches no memory.
    checked("lock", unsafe { syscall(nr::FLOCK, [fd as usize, lock | LOCK_AT_ONCE, 0, 0, 0, 0]) })?;
    Ok(())
}

/// Let others use a disk.
pub fn unlock(fd: i32) {
    const UNLOCK: usize = 8;
    // SAFETY: touches no memory.
    unsafe { syscall(nr::FLOCK, [fd as usize, UNLOCK, 0, 0, 0, 0]) };
}

/// Open a file to read it from any place; its size. An error if it is no such file.
pub fn open_to_read(path: &CStr) -> Result<(i32, u64), FileError> {
    const AT_FDCWD: usize = -100_isize as usize;
    const O_CLOEXEC: usize = 0o200_0000;
    // Nobody waits for whoever writes to a pipe.
    const O_NONBLOCK: usize = 0o4000;
    // SAFETY: the path lives through the call.
    let fd = checked("open", unsafe {
        syscall(nr::OPENAT, [AT_FDCWD, path.as_ptr() as usize, O_CLOEXEC | O_NONBLOCK, 0, 0, 0])
    })? as i32;
    let mut byte = 0;
    // A directory cannot be read, and has the largest of sizes.
    // SAFETY: the byte lives through the call.
    checked("read", unsafe { preadv(fd, &[IoVec { start: &raw mut byte, len: 1 }], 0) })?;
    Ok((fd, size(fd)?))
}

/// Read all of the bytes from a place of a file.
pub fn read_file(fd: i32, bytes: &mut [u8], at: u64) -> Result<(), FileError> {
    checked("read", read_all_at(fd, bytes, at)).map(|_| ())
}

/// Open a file to write to any place of it, which is made if there is none. It keeps what it has: its size. An
/// error if it is no such file.
pub fn open_to_write(path: &CStr) -> Result<(i32, u64), FileError> {
    const AT_FDCWD: usize = -100_isize as usize;
    const O_RDWR: usize = 2;
    const O_CREAT: usize = 0o100;
    const MODE: usize = 0o600;
    // SAFETY: the path lives through the call.
    let fd = checked("open", unsafe {
        let path = path.as_ptr() as usize;
        syscall(nr::OPENAT, [AT_FDCWD, path, O_RDWR | O_CREAT, MODE, 0, 0])
    })?;
    let size = size(fd as i32)?;
    // Devices and the like have no size to set.
    checked("write snapshots to", truncate(fd as i32, size))?;
    Ok((fd as i32, size))
}

/// Give a file that size; 0 or a negative errno.
pub fn truncate(fd: i32, size: u64) -> isize {
    // SAFETY: touches no memory.
    unsafe { syscall(nr::FTRUNCATE, [fd as usize, size as usize, 0, 0, 0, 0]) }
}

/// Read all bytes from a place of a file; 0, or a negative errno, which is -EIO if there are not so many.
pub fn read_all_at(fd: i32, mut bytes: &mut [u8], mut at: u64) -> isize {
    while !bytes.is_empty() {
        let part = IoVec { start: bytes.as_mut_ptr(), len: bytes.len() };
        // SAFETY: the bytes are the caller's.
        match unsafe { preadv(fd, &[part], at) } {
            EINTR => {}
            0 => return EIO,
            n if n < 0 => return n,
            n => {
                bytes = &mut bytes[n as usize..];
                at += n as u64;
            }
        }
    }
    0
}

/// Write all bytes to a place of a file; not negative, or an errno.
pub fn write_all_at(fd: i32, mut bytes: &[u8], mut at: u64) -> isize {
    while !bytes.is_empty() {
        let part = IoVec { start: bytes.as_ptr().cast_mut(), len: bytes.len() };
        // SAFETY: the bytes are only read.
        match unsafe { pwritev(fd, &[part], at) } {
            EINTR => {}
            0 => return EIO,
            n if n < 0 => return n,
            n => {
                bytes = &bytes[n as usize..];
                at += n as u64;
            }
        }
    }
    0
}

/// Size of a file or a block device in bytes.
pub fn size(fd: i32) -> Result<u64, FileError> {
    const SEEK_END: u32 = 2;
    // Nothing uses the position of a disk.
    checked("measure", seek(fd, 0, SEEK_END)).map(|end| end as u64)
}

/// Where the next read or write of a file begins; an error if it is no file.
pub fn position(fd: i32) -> Result<u64, FileError> {
    const SEEK_CUR: u32 = 1;
    checked("measure", seek(fd, 0, SEEK_CUR)).map(|at| at as u64)
}

/// Move the position of a file; the new one or a negative errno.
pub fn seek(fd: i32, offset: u64, whence: u32) -> isize {
    // SAFETY: touches no memory.
    unsafe { syscall(nr::LSEEK, [fd as usize, offset as usize, whence as usize, 0, 0, 0]) }
}

/// Was a descriptor opened to write to it?
pub fn is_writable(fd: i32) -> bool {
    const F_GETFL: usize = 3;
    const O_ACCMODE: isize = 3;
    // SAFETY: asks about a descriptor.
    let flags = unsafe { syscall(nr::FCNTL, [fd as usize, F_GETFL, 0, 0, 0, 0]) };
    flags >= 0 && flags & O_ACCMODE != 0
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

/// Never wait: what cannot be done at once is `EAGAIN`.
const RWF_NOWAIT: usize = 8;

/// Read what is there; `EOPNOTSUPP` or `ENOSYS` if the host cannot do that without waiting.
///
/// # Safety
/// The buffer must be valid for writes of `len` bytes, or lie in guest memory.
pub unsafe fn read_now(fd: i32, buffer: *mut u8, len: usize) -> isize {
    let part = IoVec { start: buffer, len };
    let list = &raw const part as usize;
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::PREADV2, [fd as usize, list, 1, !0, !0, RWF_NOWAIT]) }
}

/// Write what there is room for; errors as above.
///
/// # Safety
/// The buffer must be valid for reads of `len` bytes, or lie in guest memory.
pub unsafe fn write_now(fd: i32, buffer: *const u8, len: usize) -> isize {
    let part = IoVec { start: buffer.cast_mut(), len };
    let list = &raw const part as usize;
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::PWRITEV2, [fd as usize, list, 1, !0, !0, RWF_NOWAIT]) }
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
pub const POLLERR: i16 = 8;
pub const POLLNVAL: i16 = 32;

#[repr(C)]
struct PollFd {
    fd: i32,
    events: i16,
    revents: i16,
}

/// Wait until `events` or errors are there on `fd`: which, or 0 after the time or a signal.
pub fn poll(fd: i32, events: i16, timeout: Option<Timespec>) -> i16 {
    let mut pollfd = PollFd { fd, events, revents: 0 };
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: both structures live through the call.
    let r = unsafe { syscall(nr::PPOLL, [&raw mut pollfd as usize, 1, timeout as usize, 0, 8, 0]) };
    if r > 0 { pollfd.revents } else { 0 }
}

/// Wait until one of two descriptors has events that are waited for, or errors: which, or none after a signal.
pub fn poll_both(wanted: [(i32, i16); 2]) -> [i16; 2] {
    let mut fds = wanted.map(|(fd, events)| PollFd { fd, events, revents: 0 });
    // SAFETY: the structures live through the call.
    let r = unsafe { syscall(nr::PPOLL, [fds.as_mut_ptr() as usize, 2, 0, 0, 8, 0]) };
    fds.map(|fd| if r > 0 { fd.revents } else { 0 })
}
