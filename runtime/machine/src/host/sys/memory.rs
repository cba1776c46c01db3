//! Mappings, and the memory file.

use core::ffi::CStr;
use core::ptr;
use linnet_host::{nr, syscall};

/// The limit on the size of files, and the error of who exceeds it.
const RLIMIT_FSIZE: usize = 1;
pub const EFBIG: isize = -27;

pub const PROT_READ: usize = 1;
pub const PROT_WRITE: usize = 2;
pub const PROT_EXEC: usize = 4;
pub const MAP_SHARED: usize = 0x01;
pub const MAP_PRIVATE: usize = 0x02;
pub const MAP_FIXED: usize = 0x10;
pub const MAP_ANONYMOUS: usize = 0x20;
pub const MAP_NORESERVE: usize = 0x4000;
pub const MAP_POPULATE: usize = 0x8000;
pub const MAP_FIXED_NOREPLACE: usize = 0x10_0000;
pub const MADV_DONTNEED: usize = 4;
pub const MADV_HUGEPAGE: usize = 14;
/// Since Linux 5.14.
pub const MADV_POPULATE_WRITE: usize = 23;
/// How code is mapped, and in no other way.
pub const CODE_FLAGS: usize = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
/// Since Linux 6.1, whatever `/sys/kernel/mm/transparent_hugepage` says.
pub const MADV_COLLAPSE: usize = 25;

/// Map memory; the address or a negative errno.
///
/// # Safety
/// With `MAP_FIXED` whatever lay in the range is gone: nothing but guest memory or nothing at all
/// may lie there.
pub unsafe fn mmap(
    address: usize,
    len: usize,
    prot: usize,
    flags: usize,
    fd: i32,
    offset: u64,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MMAP, [address, len, prot, flags, fd as usize, offset as usize]) }
}

/// Unmap memory.
///
/// # Safety
/// Nothing but guest memory may lie in the range.
pub unsafe fn munmap(address: usize, len: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MUNMAP, [address, len, 0, 0, 0, 0]) }
}

/// Change what may be done with memory.
///
/// # Safety
/// Nothing but guest memory may lie in the range.
pub unsafe fn mprotect(address: usize, len: usize, prot: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MPROTECT, [address, len, prot, 0, 0, 0]) }
}

/// Advise about memory.
///
/// # Safety
/// Some advices drop contents: nobody may need what lies in the range then.
pub unsafe fn madvise(address: usize, len: usize, advice: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MADVISE, [address, len, advice, 0, 0, 0]) }
}

/// Can nobody change that memory file any more, neither its bytes nor its size?
pub fn is_sealed(fd: i32) -> bool {
    const F_GET_SEALS: usize = 1034;
    const SHRINK_GROW_WRITE: isize = 2 | 4 | 8;
    // SAFETY: asks about a descriptor.
    let seals = unsafe { syscall(nr::FCNTL, [fd as usize, F_GET_SEALS, 0, 0, 0, 0]) };
    seals >= 0 && seals & SHRINK_GROW_WRITE == SHRINK_GROW_WRITE
}

/// A new memory file of `size` bytes, or a negative errno.
pub fn memfd(name: &CStr, size: u64) -> i32 {
    const MFD_CLOEXEC: usize = 1;
    // SAFETY: both calls only make and size a new file.
    unsafe {
        let fd = syscall(nr::MEMFD_CREATE, [name.as_ptr() as usize, MFD_CLOEXEC, 0, 0, 0, 0]);
        if fd < 0 {
            return fd as i32;
        }
        let resize = || syscall(nr::FTRUNCATE, [fd as usize, size as usize, 0, 0, 0, 0]);
        let mut r = resize();
        if r == EFBIG {
            r = without_file_limit(resize);
        }
        if r < 0 { r as i32 } else { fd as i32 }
    }
}

/// Call `f` with a limit on the size of files that is as high as this process may set it.
fn without_file_limit(f: impl Fn() -> isize) -> isize {
    /// The limit that is in force, and its upper bound; all ones: none.
    type Limit = [u64; 2];
    // SAFETY: both are null, or live through the call.
    let limit = |new: *const Limit, old: *mut Limit| unsafe {
        syscall(nr::PRLIMIT64, [0, RLIMIT_FSIZE, new as usize, old as usize, 0, 0])
    };
    let mut old: Limit = [0; 2];
    limit(ptr::null(), &raw mut old);
    if limit(&[u64::MAX; 2], ptr::null_mut()) < 0 {
        limit(&[old[1]; 2], ptr::null_mut());
    }
    let r = f();
    limit(&old, ptr::null_mut());
    r
}

/// Free a range of a memory file. Mappings of it stay and read as zeros.
pub fn punch_hole(fd: i32, offset: u64, size: u64) {
    const FALLOC_FL_KEEP_SIZE: usize = 1;
    const FALLOC_FL_PUNCH_HOLE: usize = 2;
    let mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
    // SAFETY: the memory file holds guest memory only, and the guest says that it is free.
    unsafe {
        syscall(nr::FALLOCATE, [fd as usize, mode, offset as usize, size as usize, 0, 0]);
    }
}
