//! Mappings.

use core::fmt::{self, Display, Formatter};
use linnet_host::{nr, syscall};

/// What the host's kernel refused with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) i32);

impl Errno {
    pub(crate) const ENOMEM: Errno = Errno(12);
}

impl Display for Errno {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match *self {
            Errno::ENOMEM => f.write_str("Cannot allocate memory"),
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
