//! A split virtqueue in guest memory.

use crate::host::sys::IoVec;
use crate::memory::ram::Ram;
use core::sync::atomic::{AtomicU16, Ordering, fence};
use linnet_abi::memory::NULL_GUARD;

/// Most descriptors of a queue, and so most parts of a request.
pub const MAX_SIZE: u16 = 128;

const DESCRIPTOR_SIZE: u64 = 16;
const FLAG_NEXT: u16 = 1;
const FLAG_WRITE: u16 = 2;
const AVAILABLE_NO_INTERRUPT: u16 = 1;

/// The parts of a request: those that the device reads and those that it writes.
pub struct Request {
    head: u16,
    parts: [IoVec; MAX_SIZE as usize],
    readable: usize,
    count: usize,
}

impl Request {
    pub fn split(&mut self) -> (&mut [IoVec], &mut [IoVec]) {
        self.parts[..self.count].split_at_mut(self.readable)
    }
}

/// What the driver told of a queue. Addresses are the guest's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Queue {
    pub size: u16,
    pub ready: bool,
    pub descriptors: u32,
    pub available: u32,
    pub used: u32,
    /// Requests that were taken.
    pub taken: u16,
}

/// Host address of a range of guest memory.
fn host(address: u64, len: u64) -> Option<*mut u8> {
    let end = address.checked_add(len)?;
    (address >= NULL_GUARD && end <= Ram::get().size).then(|| Ram::get().host(address as u32))
}

impl Queue {
    /// The parts of the queue itself lie in memory, and where they must.
    pub fn is_valid(&self) -> bool {
        let size = u64::from(self.size);
        self.ready
            && self.size.is_power_of_two()
            && self.size <= MAX_SIZE
            && host(u64::from(self.descriptors), DESCRIPTOR_SIZE * size).is_some()
            && host(u64::from(self.available), 6 + 2 * size).is_some()
            && host(u64::from(self.used), 6 + 8 * size).is_some()
            && self.descriptors.is_multiple_of(16)
            && self.available.is_multiple_of(2)
            && self.used.is_multiple_of(4)
    }

    fn half_word(&self, address: u32) -> &'static AtomicU16 {
        // SAFETY: inside the parts that `is_valid` checked, which are aligned; memory stays mapped.
        unsafe { AtomicU16::from_ptr(Ram::get().host(address).cast()) }
    }

    /// Read a word of a descriptor or write one of a used element; the driver may change it meanwhile.
    fn words<const N: usize>(&self, address: u32) -> *mut [u32; N] {
        Ram::get().host(address).cast()
    }

    /// The next request, if there is one. `Err` if it is malformed: the queue is of no more use.
    pub fn pop_available(&mut self) -> Result<Option<Request>, ()> {
        if self.half_word(self.available + 2).load(Ordering::Acquire) == self.taken {
            return Ok(None);
        }
        let at = self.available + 4 + 2 * u32::from(self.taken % self.size);
        let head = self.half_word(at).load(Ordering::Relaxed);
        self.taken = self.taken.wrapping_add(1);
        let nothing = IoVec { start: core::ptr::null_mut(), len: 0 };
        let mut request =
            Request { head, parts: [nothing; MAX_SIZE as usize], readable: 0, count: 0 };
        let mut next = head;
        loop {
            if next >= self.size || request.count == self.size.into() {
                return Err(());
            }
            let at = self.descriptors + u32::from(next) * DESCRIPTOR_SIZE as u32;
            // SAFETY: inside the table that `is_valid` checked.
            let [low, high, len, rest] = unsafe { self.words::<4>(at).read_volatile() };
            let address = u64::from(low) | u64::from(high) << 32;
            let (flags, following) = (rest as u16, (rest >> 16) as u16);
            let start = host(address, len.into()).ok_or(())?;
            if flags & FLAG_WRITE == 0 {
                // What the device reads comes first.
                if request.readable != request.count {
                    return Err(());
                }
                request.readable += 1;
            }
            request.parts[request.count] = IoVec { start, len: len as usize };
            request.count += 1;
            if flags & FLAG_NEXT == 0 {
                return Ok(Some(request));
            }
            next = following;
        }
    }

    /// Return a request to the driver, into which `written` bytes were written.
    pub fn push_used(&self, request: &Request, written: u32) {
        let index = self.half_word(self.used + 2);
        // Only the device writes it.
        let used = index.load(Ordering::Relaxed);
        let at = self.used + 4 + 8 * u32::from(used % self.size);
        // SAFETY: inside the ring that `is_valid` checked.
        unsafe { self.words::<2>(at).write_volatile([request.head.into(), written]) };
        index.store(used.wrapping_add(1), Ordering::Release);
    }

    /// Does the driver want to be told that requests came back?
    pub fn wants_interrupt(&self) -> bool {
        fence(Ordering::SeqCst);
        self.half_word(self.available).load(Ordering::Relaxed) & AVAILABLE_NO_INTERRUPT == 0
    }
}
