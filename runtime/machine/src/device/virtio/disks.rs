//! The disks of the machine: files and block devices of the host, at their bus addresses.

use super::block::{Backend, Disk};
use super::mmio::Mmio;
use crate::cpu::vcpu;
use crate::host::sys::{self, FileError, IoVec};
use crate::memory::physical::GuestMemory;
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::fmt;
use linnet_abi::irq;

/// Most disks of a machine.
pub const MAX_DISKS: usize = 8;

/// Bus address of the registers of device 0, above all memory that a guest can have.
const BASE: u32 = 0xf000_0000;

/// Distance of the registers of two devices.
const SIZE: u32 = 0x200;

/// A file that stays open.
struct HostFile {
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

type HostDisk = Mmio<Disk<HostFile>>;

struct Disks(UnsafeCell<[Option<HostDisk>; MAX_DISKS]>);

// SAFETY: written before the second thread starts. A disk's own parts are for many threads.
unsafe impl Sync for Disks {}

static DISKS: Disks = Disks(UnsafeCell::new([const { None }; MAX_DISKS]));

/// Disk number `n`.
fn disk(n: u32) -> Option<&'static HostDisk> {
    // SAFETY: written only before the second thread starts.
    unsafe { (*DISKS.0.get()).get(n as usize)?.as_ref() }
}

fn count() -> u32 {
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

/// Bytes of all disks.
pub fn sizes() -> impl Iterator<Item = u64> {
    (0..count()).filter_map(disk).map(|disk| disk.device.size())
}

/// Tell the kernel of the devices (Documentation/admin-guide/kernel-parameters.txt, virtio_mmio.device).
pub fn kernel_arguments(to: &mut impl fmt::Write) -> fmt::Result {
    for n in 0..count() {
        write!(to, " virtio_mmio.device={SIZE:#x}@{:#x}:{}", BASE + n * SIZE, line(n))?;
    }
    Ok(())
}

/// Interrupt line of a device.
fn line(device: u32) -> u32 {
    irq::DEVICE_SHIFT + irq::LINE_VIRTIO + device
}

/// The disk at a bus address, its number, and the offset of the register.
fn find(address: u32) -> Option<(&'static HostDisk, u32, u32)> {
    let offset = address.checked_sub(BASE)?;
    Some((disk(offset / SIZE)?, offset / SIZE, offset % SIZE))
}

/// Read a register. All ones where there is no device, as on a bus.
pub fn read(address: u32, size: u32) -> u32 {
    find(address).map_or(u32::MAX, |(disk, _, offset)| disk.read(offset, size))
}

/// Write a register.
pub fn write(address: u32, _size: u32, value: u32) {
    if let Some((disk, n, offset)) = find(address) {
        let raise = || vcpu::first().interrupt(1 << line(n));
        disk.write(GuestMemory::get(), offset, value, raise);
    }
}
