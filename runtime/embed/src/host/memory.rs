//! Mappings.

use core::fmt::{self, Display, Formatter};
use linnet_host::{nr, syscall};

/// What the host's kernel refused with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) i32);

impl Errno {
    pub(crate) const ENOMEM: Errno = Errno(12);
    pub(crate) const EFBIG: Errno = Errno(27);
}

impl Display for Errno {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Errno::ENOMEM => f.write_str("Cannot allocate memory"),
            Errno::EFBIG => f.write_str("File too large"),
            Errno(number) => write!(f, "error {number} of the host"),
        }
    }
}

fn checked(result: isize) -> Result<u64, Errno> {
    if (-4095..0).contains(&result) { Err(Errno(-result as i32)) } else { Ok(result as u64) }
}

const NONE: usize = 0;
const READ_WRITE: usize = 3;
const PRIVATE_ANONYMOUS_NORESERVE: usize = 0x4022;
const PRIVATE: usize = 0x2;
const FIXED: usize = 0x10;

/// Addresses that nothing can be done with yet.
pub(crate) fn reserve(len: u64) -> Result<u64, Errno> {
    let flags = PRIVATE_ANONYMOUS_NORESERVE;
    // SAFETY: a new mapping, at no particular address.
    checked(unsafe { syscall(nr::MMAP, [0, len as usize, NONE, flags, usize::MAX, 0]) })
}

/// Makes a part of a reservation accessible.
///
/// # Safety
/// The range must be the caller's.
pub(crate) unsafe fn open(start: u64, len: u64) -> Result<(), Errno> {
    let a = [start as usize, len as usize, READ_WRITE, 0, 0, 0];
    // SAFETY: the caller's promise.
    checked(unsafe { syscall(nr::MPROTECT, a) }).map(drop)
}

/// Makes a part of a reservation inaccessible and forgets what it held.
///
/// # Safety
/// The range must be the caller's, and nothing may refer to it.
pub(crate) unsafe fn close(start: u64, len: u64) -> Result<(), Errno> {
    let flags = PRIVATE_ANONYMOUS_NORESERVE | FIXED;
    let a = [start as usize, len as usize, NONE, flags, usize::MAX, 0];
    // SAFETY: the caller's promise.
    checked(unsafe { syscall(nr::MMAP, a) }).map(drop)
}

/// Gives addresses back.
///
/// # Safety
/// The range must be the caller's, and nothing may refer to it.
pub(crate) unsafe fn release(start: u64, len: u64) {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MUNMAP, [start as usize, len as usize, 0, 0, 0, 0]) };
}

/// Throws away what was written to private pages. Those of a file have its contents then, others zeros.
///
/// # Safety
/// The range must be the caller's.
pub(crate) unsafe fn discard(start: u64, len: u64) -> Result<(), Errno> {
    const DONTNEED: usize = 4;
    // SAFETY: the caller's promise.
    checked(unsafe { syscall(nr::MADVISE, [start as usize, len as usize, DONTNEED, 0, 0, 0]) })
        .map(drop)
}

/// A file in memory without a name.
#[derive(Debug)]
pub(crate) struct File(usize);

impl File {
    /// Of so many zeros. It lives as long as something maps it.
    pub(crate) fn new(len: u64) -> Result<File, Errno> {
        const CLOEXEC: usize = 1;
        const FILE_SIZE: usize = 1;
        // Above the limit for files a signal would end the process.
        let mut limit = [0_u64; 2];
        let a = [0, FILE_SIZE, 0, limit.as_mut_ptr() as usize, 0, 0];
        // SAFETY: writes the two words.
        checked(unsafe { syscall(nr::PRLIMIT64, a) })?;
        if limit[0] < len {
            return Err(Errno::EFBIG);
        }
        let name = c"linnet-memory".as_ptr() as usize;
        // SAFETY: the name is there.
        let file = checked(unsafe { syscall(nr::MEMFD_CREATE, [name, CLOEXEC, 0, 0, 0, 0]) })?;
        let file = File(file as usize);
        // SAFETY: of the new file.
        checked(unsafe { syscall(nr::FTRUNCATE, [file.0, len as usize, 0, 0, 0, 0]) })?;
        Ok(file)
    }

    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Errno> {
        let mut done = 0;
        while done < bytes.len() {
            let rest = &bytes[done..];
            let a = [self.0, rest.as_ptr() as usize, rest.len(), at as usize + done, 0, 0];
            // SAFETY: reads the bytes only.
            done += checked(unsafe { syscall(nr::PWRITE64, a) })? as usize;
        }
        Ok(())
    }

    /// Maps a private copy in place of what is there.
    ///
    /// # Safety
    /// The range must be the caller's, and have the file's contents already if something refers to it.
    pub(crate) unsafe fn map(&self, start: u64, len: u64) -> Result<(), Errno> {
        let a = [start as usize, len as usize, READ_WRITE, PRIVATE | FIXED, self.0, 0];
        // SAFETY: the caller's promise.
        checked(unsafe { syscall(nr::MMAP, a) }).map(drop)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: nobody else has its number.
        unsafe { syscall(nr::CLOSE, [self.0, 0, 0, 0, 0, 0]) };
    }
}
