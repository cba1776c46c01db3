//! A disk: a file or a block device of the host.

use super::mmio::{Interrupt, Registers};
use super::queue::{Queue, Request};
use crate::host::lock::SpinLock;
use crate::host::sandbox;
use crate::host::sys::{self, FileError, IoVec};
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::sync::atomic::AtomicU32;

pub const DEVICE_ID: u32 = 2;

/// Most disks of a machine.
pub const MAX_DISKS: usize = 8;

const SECTOR: u64 = 512;

const FEATURE_SEGMENTS: u64 = 1 << 2;
const FEATURE_READ_ONLY: u64 = 1 << 5;
const FEATURE_FLUSH: u64 = 1 << 9;

/// Parts of a request besides its header and its status.
const SEGMENTS: u32 = super::queue::MAX_SIZE as u32 - 2;

/// Kinds of requests.
const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSH: u32 = 4;
const GET_ID: u32 = 8;

/// Answers.
const OK: u8 = 0;
const IO_ERROR: u8 = 1;
const UNSUPPORTED: u8 = 2;

const HEADER_SIZE: usize = 16;
const ID_SIZE: usize = 20;

pub struct Disk {
    file: File,
    pub registers: SpinLock<Registers>,
    pub interrupt: Interrupt,
    /// Notifications since the queue was last seen empty.
    pub notified: AtomicU32,
}

#[derive(Debug, Clone, Copy)]
struct File {
    fd: i32,
    sectors: u64,
    read_only: bool,
}

struct Disks(UnsafeCell<[Option<Disk>; MAX_DISKS]>);

// SAFETY: written before the second thread starts. A disk's own parts are for many threads.
unsafe impl Sync for Disks {}

static DISKS: Disks = Disks(UnsafeCell::new([const { None }; MAX_DISKS]));

/// Disk number `n`.
pub fn disk(n: u32) -> Option<&'static Disk> {
    // SAFETY: written only before the second thread starts.
    unsafe { (*DISKS.0.get()).get(n as usize)?.as_ref() }
}

pub fn count() -> u32 {
    (0..MAX_DISKS as u32).take_while(|n| disk(*n).is_some()).count() as u32
}

/// Make a file the next disk; there must be room for one.
///
/// Inside the sandbox, that is after a restart, nothing can be opened: what was open is.
pub fn attach(path: &CStr, read_only: bool) -> Result<(), FileError> {
    let n = count();
    let fd = match sandbox::is_inside() {
        true => sys::inherited_disk(n),
        false => sys::open_disk(path, read_only, n)?,
    };
    let sectors = sys::size(fd)? / SECTOR;
    let disk = Disk {
        file: File { fd, sectors, read_only },
        registers: SpinLock::new(Registers::NEW),
        interrupt: Interrupt::new(),
        notified: AtomicU32::new(0),
    };
    // SAFETY: only one thread runs yet.
    unsafe { (*DISKS.0.get())[n as usize] = Some(disk) };
    Ok(())
}

/// Before a restart that can open them again.
pub fn detach_all() {
    for n in 0..count() {
        if let Some(disk) = disk(n) {
            sys::close(disk.file.fd);
        }
    }
}

impl Disk {
    pub fn features(&self) -> u64 {
        let read_only = if self.file.read_only { FEATURE_READ_ONLY } else { 0 };
        FEATURE_SEGMENTS | FEATURE_FLUSH | read_only
    }

    /// Bytes of `struct virtio_blk_config`.
    pub fn configuration(&self, offset: u32, size: u32) -> u32 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.file.sectors.to_le_bytes());
        bytes[12..].copy_from_slice(&SEGMENTS.to_le_bytes());
        let at = |i: u32| bytes.get((offset + i) as usize).copied().unwrap_or(0);
        (0..size.min(4)).fold(0, |value, i| value | u32::from(at(i)) << (8 * i))
    }

    /// Do the requests of a queue. Whether the driver wants to know of it.
    pub fn serve(&self, queue: &mut Queue) -> Result<bool, ()> {
        let mut any = false;
        while let Some(mut request) = queue.pop_available()? {
            let written = self.file.serve(&mut request)?;
            queue.push_used(&request, written);
            any = true;
        }
        Ok(any && queue.wants_interrupt())
    }
}

impl File {
    /// Do a request; the number of bytes written into it.
    fn serve(self, request: &mut Request) -> Result<u32, ()> {
        let (mut readable, mut writable) = request.split();
        let mut header = [0; HEADER_SIZE];
        readable = take_front(readable, &mut header)?;
        let status = take_last(&mut writable)?;
        let kind = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let sector = u64::from_le_bytes(header[8..].try_into().map_err(|_| ())?);
        let len: usize = writable.iter().map(|part| part.len).sum();
        let (answer, written) = match kind {
            IN => match self.transfer(sector, writable, sys::preadv) {
                Ok(()) => (OK, len),
                Err(answer) => (answer, 0),
            },
            OUT if self.read_only => (IO_ERROR, 0),
            OUT => (self.transfer(sector, readable, sys::pwritev).err().unwrap_or(OK), 0),
            FLUSH => (if sys::fdatasync(self.fd) == 0 { OK } else { IO_ERROR }, 0),
            GET_ID => (OK, put(writable, &[0; ID_SIZE])),
            _ => (UNSUPPORTED, 0),
        };
        // SAFETY: `take_last` took it from guest memory.
        unsafe { status.write_volatile(answer) };
        Ok(written as u32 + 1)
    }

    fn transfer(
        self,
        sector: u64,
        mut parts: &mut [IoVec],
        call: unsafe fn(i32, &[IoVec], u64) -> isize,
    ) -> Result<(), u8> {
        let mut left: u64 = parts.iter().map(|part| part.len as u64).sum();
        let end = left.checked_add(sector.checked_mul(SECTOR).ok_or(IO_ERROR)?).ok_or(IO_ERROR)?;
        if !left.is_multiple_of(SECTOR) || end > self.sectors * SECTOR {
            return Err(IO_ERROR);
        }
        while left != 0 {
            // SAFETY: the parts lie in guest memory.
            let n = unsafe { call(self.fd, parts, end - left) };
            if n == sys::EINTR {
                continue;
            }
            if n <= 0 {
                return Err(IO_ERROR);
            }
            left -= n as u64;
            parts = advance(parts, n as usize);
        }
        Ok(())
    }
}

/// The parts without their first `n` bytes.
fn advance(mut parts: &mut [IoVec], mut n: usize) -> &mut [IoVec] {
    while let Some(first) = parts.first_mut() {
        if n < first.len {
            first.start = first.start.wrapping_add(n);
            first.len -= n;
            break;
        }
        n -= first.len;
        parts = &mut parts[1..];
    }
    parts
}

/// Copy what the parts begin with, and leave it out of them.
fn take_front<'a>(mut parts: &'a mut [IoVec], to: &mut [u8]) -> Result<&'a mut [IoVec], ()> {
    let mut at = 0;
    while at < to.len() {
        let first = *parts.first().ok_or(())?;
        let n = first.len.min(to.len() - at);
        for i in 0..n {
            // SAFETY: the parts lie in guest memory, which the guest may be writing.
            to[at + i] = unsafe { first.start.add(i).read_volatile() };
        }
        at += n;
        parts = advance(parts, n);
    }
    Ok(parts)
}

/// Take the last byte away from the parts.
fn take_last(parts: &mut &mut [IoVec]) -> Result<*mut u8, ()> {
    let last = parts.last_mut().ok_or(())?;
    last.len = last.len.checked_sub(1).ok_or(())?;
    Ok(last.start.wrapping_add(last.len))
}

/// Copy bytes to the parts; how many there was room for.
fn put(parts: &[IoVec], bytes: &[u8]) -> usize {
    let places = parts.iter().flat_map(|part| (0..part.len).map(|i| part.start.wrapping_add(i)));
    let copied = places.zip(bytes).map(|(place, byte)| {
        // SAFETY: the parts lie in guest memory.
        unsafe { place.write_volatile(*byte) };
    });
    copied.count()
}
