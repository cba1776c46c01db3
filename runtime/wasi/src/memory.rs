//! The guest's memory. Addresses and lengths are checked here, once; what comes out cannot be wrong.

use crate::errno::{Errno, Result};
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};
use linnet_abi::instance::Memory as Raw;

/// The memory that the guest exports or imports. Threads share it.
static MEMORY: AtomicPtr<Raw> = AtomicPtr::new(ptr::null_mut());

/// Says which memory it is.
pub fn set(memory: *mut Raw) {
    MEMORY.store(memory, Ordering::Release);
}

/// Bytes of the guest's memory. Other threads of the guest may write them at any time, so that there is no
/// reference to them.
#[derive(Debug, Clone, Copy)]
pub struct Bytes {
    at: *mut u8,
    len: usize,
}

/// The bytes from `address` on.
pub fn bytes(address: u32, len: u32) -> Result<Bytes> {
    let memory = MEMORY.load(Ordering::Acquire);
    if memory.is_null() {
        return Err(Errno::FAULT);
    }
    // SAFETY: set once, to a memory that lives as long as the process; the size only grows.
    let (base, size) = unsafe { ((*memory).base, (&raw const (*memory).size).read_volatile()) };
    if u64::from(address) + u64::from(len) > size {
        return Err(Errno::FAULT);
    }
    Ok(Bytes { at: (base + u64::from(address)) as *mut u8, len: len as usize })
}

impl Bytes {
    pub fn address(&self) -> usize {
        self.at as usize
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Copies them out.
    pub fn to_vec(self) -> Result<Vec<u8>> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(self.len).map_err(|_| Errno::NOMEM)?;
        // SAFETY: the bytes are there, and so is the room.
        unsafe {
            ptr::copy_nonoverlapping(self.at, copy.as_mut_ptr(), self.len);
            copy.set_len(self.len);
        }
        Ok(copy)
    }

    /// Copies them out; there are N.
    fn array<const N: usize>(self) -> [u8; N] {
        let mut copy = [0; N];
        // SAFETY: only used on as many bytes.
        unsafe { ptr::copy_nonoverlapping(self.at, copy.as_mut_ptr(), N.min(self.len)) };
        copy
    }

    /// Copies in as many of these as there is room for; how many.
    pub fn fill(self, from: &[u8]) -> usize {
        let len = self.len.min(from.len());
        // SAFETY: the bytes are there; Rust's memory is elsewhere.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), self.at, len) };
        len
    }
}

pub fn read<const N: usize>(address: u32) -> Result<[u8; N]> {
    Ok(bytes(address, N as u32)?.array())
}

pub fn write(address: u32, data: &[u8]) -> Result<()> {
    let len = u32::try_from(data.len()).map_err(|_| Errno::OVERFLOW)?;
    bytes(address, len)?.fill(data);
    Ok(())
}

pub fn write_u32(address: u32, value: u32) -> Result<()> {
    write(address, &value.to_le_bytes())
}

pub fn write_u64(address: u32, value: u64) -> Result<()> {
    write(address, &value.to_le_bytes())
}

/// Most vectors that the host takes at once.
const MOST: u32 = 1024;

/// The host's `struct iovec`s of an array of the guest's. Those that are too many are left out: a call that
/// reads or writes may do less.
pub fn vectors(address: u32, count: u32) -> Result<Vec<[usize; 2]>> {
    bytes(address, count.checked_mul(8).ok_or(Errno::INVAL)?)?;
    let mut total = 0_u32;
    let mut vectors = Vec::with_capacity(count.min(MOST) as usize);
    for number in 0..count.min(MOST) {
        let [a, b, c, d, e, f, g, h] = read(address + 8 * number)?;
        let (at, len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        // The result is a number of 32 bits, of which the guest's C library takes one for the sign.
        let Some(sum) = total.checked_add(len) else { return Err(Errno::INVAL) };
        total = sum;
        let bytes = bytes(at, len)?;
        vectors.push([bytes.address(), bytes.len()]);
    }
    Ok(vectors)
}
