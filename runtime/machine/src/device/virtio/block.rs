//! A disk.

use super::mmio::Device;
use crate::host::sys::{EINTR, IoVec};
use linnet_virtio::parts;
use linnet_virtio::queue::{self, Malformed, OpenQueue, Request};

const SECTOR: u64 = 512;

const FEATURE_SEGMENTS: u64 = 1 << 2;
const FEATURE_READ_ONLY: u64 = 1 << 5;
const FEATURE_FLUSH: u64 = 1 << 9;

/// Parts of a request besides its header and its status.
const SEGMENTS: u32 = queue::MAX_SIZE as u32 - 2;

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

/// Where a disk's sectors are: a file or a block device of the host.
pub trait Backend {
    /// Read at an offset into parts that lie in guest memory; bytes or a negative errno.
    fn read(&self, parts: &[IoVec], offset: u64) -> isize;

    /// Write what parts in guest memory hold at an offset; bytes or a negative errno.
    fn write(&self, parts: &[IoVec], offset: u64) -> isize;

    /// Put what was written where it is safe. Whether that worked.
    fn flush(&self) -> bool;
}

/// A disk.
pub struct Disk<B> {
    pub backend: B,
    sectors: u64,
    read_only: bool,
}

impl<B: Backend> Device for Disk<B> {
    const ID: u32 = 2;

    fn features(&self) -> u64 {
        let read_only = if self.read_only { FEATURE_READ_ONLY } else { 0 };
        FEATURE_SEGMENTS | FEATURE_FLUSH | read_only
    }

    /// Of `struct virtio_blk_config`.
    fn configuration(&self, at: usize) -> Option<u8> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.sectors.to_le_bytes());
        bytes[12..].copy_from_slice(&SEGMENTS.to_le_bytes());
        bytes.get(at).copied()
    }

    fn serve(&self, queue: &mut OpenQueue) -> Result<bool, Malformed> {
        let mut any = false;
        while let Some(mut request) = queue.pop_available()? {
            let written = self.request(&mut request)?;
            queue.push_used(&request, written);
            any = true;
        }
        Ok(any && queue.wants_interrupt())
    }
}

impl<B: Backend> Disk<B> {
    /// Bytes that a guest can use.
    pub fn size(&self) -> u64 {
        self.sectors * SECTOR
    }

    /// A disk of `size` bytes; what is left of them after whole sectors is not used.
    pub fn new(backend: B, size: u64, read_only: bool) -> Disk<B> {
        Disk { backend, sectors: size / SECTOR, read_only }
    }

    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Do a request; the number of bytes written into it.
    fn request(&self, request: &mut Request) -> Result<u32, Malformed> {
        let (mut readable, mut writable) = request.split();
        let mut header = [0; HEADER_SIZE];
        if parts::take(&mut readable, &mut header) != HEADER_SIZE {
            return Err(Malformed);
        }
        let status = take_last(&mut writable)?;
        let kind = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let sector = u64::from_le_bytes(header[8..].try_into().map_err(|_| Malformed)?);
        let len: usize = writable.iter().map(|part| part.len).sum();
        let (answer, written) = match kind {
            IN => match self.transfer(sector, writable, B::read) {
                Ok(()) => (OK, len),
                Err(answer) => (answer, 0),
            },
            OUT if self.read_only => (IO_ERROR, 0),
            OUT => (self.transfer(sector, readable, B::write).err().unwrap_or(OK), 0),
            FLUSH => (if self.backend.flush() { OK } else { IO_ERROR }, 0),
            GET_ID => (OK, parts::put(writable, &[0; ID_SIZE])),
            _ => (UNSUPPORTED, 0),
        };
        // SAFETY: `take_last` took it from guest memory.
        unsafe { status.write_volatile(answer) };
        Ok((written as u32).wrapping_add(1))
    }

    fn transfer(
        &self,
        sector: u64,
        mut parts: &mut [IoVec],
        call: fn(&B, &[IoVec], u64) -> isize,
    ) -> Result<(), u8> {
        let mut left: u64 = parts.iter().map(|part| part.len as u64).sum();
        let end = left.checked_add(sector.checked_mul(SECTOR).ok_or(IO_ERROR)?).ok_or(IO_ERROR)?;
        if !left.is_multiple_of(SECTOR) || end > self.sectors * SECTOR {
            return Err(IO_ERROR);
        }
        while left != 0 {
            let n = call(&self.backend, parts, end - left);
            if n == EINTR {
                continue;
            }
            if n <= 0 {
                return Err(IO_ERROR);
            }
            left -= n as u64;
            parts::skip(&mut parts, n as usize);
        }
        Ok(())
    }
}

/// Take the last byte away from the parts.
fn take_last(parts: &mut &mut [IoVec]) -> Result<*mut u8, Malformed> {
    let last = parts.last_mut().ok_or(Malformed)?;
    last.len = last.len.checked_sub(1).ok_or(Malformed)?;
    Ok(last.start.wrapping_add(last.len))
}
