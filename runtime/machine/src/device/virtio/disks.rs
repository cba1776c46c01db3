//! The disks of the machine: files and block devices of the host.

use super::block::{Backend, Disk};
use super::mmio::Mmio;
use crate::host::sys::{self, FileError, IoVec};
use core::cell::UnsafeCell;
use core::ffi::CStr;

/// Most disks of a machine.
pub const MAX_DISKS: usize = 8;

/// A file that stays open.
pub struct HostFile {
    fd: i32,
}

impl Backend for HostFile {
    fn read(&self, parts: &[IoVec], offset: u64) -> isize {
        // SAFETY: the parts lie in guest memory.
        unsafe { sys::preadv(self.fd, parts, offset) }
    }

    fn write(&self, parts: &[IoVec], offset: u64) -> isize {
        // SAFETY: the parts lie in guest memory.
        unsafe { sys::pwritev(self.fd, parts, offset) }
    }

    fn flush(&self) -> bool {
        sys::fdatasync(self.fd) == 0
    }
}

pub type HostDisk = Mmio<Disk<HostFile>>;

struct Disks(UnsafeCell<[Option<HostDisk>; MAX_DISKS]>);

// SAFETY: written before the second thread starts. A disk's own parts are for many threads.
unsafe impl Sync for Disks {}

static DISKS: Disks = Disks(UnsafeCell::new([const { None }; MAX_DISKS]));

/// Disk number `n`.
pub fn disk(n: u32) -> Option<&'static HostDisk> {
    // SAFETY: written only before the second thread starts.
    unsafe { (*DISKS.0.get()).get(n as usize)?.as_ref() }
}

pub fn count() -> u32 {
    (0..MAX_DISKS as u32).take_while(|n| disk(*n).is_some()).count() as u32
}

/// Make a file the next disk; there must be room for one. After a restart it is open already, as `kept`:
/// it stays the same file, whatever has happened to its name, and the sandbox lets none be opened.
pub fn attach(path: &CStr, read_only: bool, kept: Option<i32>) -> Result<(), FileError> {
    let n = count();
    let fd = match kept {
        Some(fd) => fd,
        None => sys::open_disk(path, read_only)?,
    };
    let disk = Mmio::new(Disk::new(HostFile { fd }, sys::size(fd)?, read_only));
    // SAFETY: only one thread runs yet.
    unsafe { (*DISKS.0.get())[n as usize] = Some(disk) };
    Ok(())
}

/// The descriptors of all disks.
pub fn descriptors() -> impl Iterator<Item = i32> {
    (0..count()).filter_map(disk).map(|disk| disk.device.backend.fd)
}

/// Let another machine have the disks.
pub fn unlock() {
    descriptors().for_each(sys::unlock);
}

/// Take them back; false if somebody else has one now.
pub fn lock() -> bool {
    (0..count())
        .filter_map(disk)
        .all(|disk| sys::lock(disk.device.backend.fd, disk.device.is_read_only()).is_ok())
}

/// Bytes of all disks.
pub fn sizes() -> impl Iterator<Item = u64> {
    (0..count()).filter_map(disk).map(|disk| disk.device.size())
}
