//! A split virtqueue in guest memory.

use crate::memory::{GuestMemory, IoVec};
use core::ptr;
use core::sync::atomic::{AtomicU16, Ordering, fence};

/// Most descriptors of a queue, and so most parts of a request.
pub const MAX_SIZE: u16 = 128;

const DESCRIPTOR_SIZE: usize = 16;
const FLAG_NEXT: u16 = 1;
const FLAG_WRITE: u16 = 2;
const AVAILABLE_NO_INTERRUPT: u16 = 1;
const USED_NO_NOTIFY: u16 = 1;

/// The driver wrote something that makes no sense: the queue is of no more use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The parts of a request: those that the device reads and those that it writes.
#[derive(Debug)]
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

impl Queue {
    /// The queue, if the driver has made it ready and its parts lie in memory, and where they must.
    pub fn open(&self, memory: GuestMemory) -> Option<OpenQueue> {
        if !(self.ready && self.size.is_power_of_two() && self.size <= MAX_SIZE) {
            return None;
        }
        let size = usize::from(self.size);
        let part = |address: u32, len: usize, alignment: u32| {
            memory.range(address.into(), len as u64).filter(|_| address.is_multiple_of(alignment))
        };
        Some(OpenQueue {
            memory,
            size: self.size,
            descriptors: part(self.descriptors, DESCRIPTOR_SIZE * size, 16)?,
            available: part(self.available, 6 + 2 * size, 2)?,
            used: part(self.used, 6 + 8 * size, 4)?,
            taken: self.taken,
        })
    }
}

/// A queue whose parts are there.
#[derive(Debug, Clone, Copy)]
pub struct OpenQueue {
    memory: GuestMemory,
    size: u16,
    descriptors: *mut u8,
    available: *mut u8,
    used: *mut u8,
    taken: u16,
}

impl OpenQueue {
    /// Requests that were taken.
    pub fn taken(&self) -> u16 {
        self.taken
    }

    /// Take again what was taken and has not come back.
    pub fn retake(&mut self) {
        self.taken = Self::half_word(self.used, 2).load(Ordering::Acquire);
    }

    fn half_word<'a>(part: *mut u8, offset: usize) -> &'a AtomicU16 {
        // SAFETY: inside a part that `open` checked, which is aligned; memory stays mapped as long as the queue is used.
        unsafe { AtomicU16::from_ptr(part.wrapping_add(offset).cast()) }
    }

    /// A descriptor: address, length, flags, and the next one's number. The driver may change it meanwhile.
    fn descriptor(&self, n: u16) -> (u64, u32, u16, u16) {
        let at = self.descriptors.wrapping_add(usize::from(n) * DESCRIPTOR_SIZE);
        // SAFETY: inside the table that `open` checked, for n is less than the size.
        let [low, high, len, rest] = unsafe { at.cast::<[u32; 4]>().read_volatile() };
        (u64::from(low) | u64::from(high) << 32, len, rest as u16, (rest >> 16) as u16)
    }

    /// The next request, if there is one.
    pub fn pop_available(&mut self) -> Result<Option<Request>, Malformed> {
        if !self.has_available() {
            return Ok(None);
        }
        let slot = usize::from(self.taken % self.size);
        let head = Self::half_word(self.available, 4 + 2 * slot).load(Ordering::Relaxed);
        self.taken = self.taken.wrapping_add(1);
        let nothing = IoVec { start: ptr::null_mut(), len: 0 };
        let mut request =
            Request { head, parts: [nothing; MAX_SIZE as usize], readable: 0, count: 0 };
        let mut next = head;
        loop {
            if next >= self.size || request.count == self.size.into() {
                return Err(Malformed);
            }
            let (address, len, flags, following) = self.descriptor(next);
            let start = self.memory.range(address, len.into()).ok_or(Malformed)?;
            if flags & FLAG_WRITE == 0 {
                // What the device reads comes first.
                if request.readable != request.count {
                    return Err(Malformed);
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
        self.prepare_used(0, request, written);
        self.publish_used(1);
    }

    /// Enter the request that [`OpenQueue::publish_used`] returns as number `n`.
    pub fn prepare_used(&self, n: u16, request: &Request, written: u32) {
        // Only the device writes it.
        let used = Self::half_word(self.used, 2).load(Ordering::Relaxed).wrapping_add(n);
        let at = self.used.wrapping_add(4 + 8 * usize::from(used % self.size));
        // SAFETY: inside the ring that `open` checked.
        unsafe { at.cast::<[u32; 2]>().write_volatile([request.head.into(), written]) };
    }

    /// Return the next `n` requests to the driver, at once.
    pub fn publish_used(&self, n: u16) {
        let index = Self::half_word(self.used, 2);
        index.store(index.load(Ordering::Relaxed).wrapping_add(n), Ordering::Release);
    }

    /// Take back that the last `n` requests were taken.
    pub fn untake(&mut self, n: u16) {
        self.taken = self.taken.wrapping_sub(n);
    }

    /// Are there requests to take?
    pub fn has_available(&self) -> bool {
        Self::half_word(self.available, 2).load(Ordering::Acquire) != self.taken
    }

    /// Tell the driver whether to notify of new requests. After that some may be there already.
    pub fn set_notifications(&self, wanted: bool) {
        let flags = if wanted { 0 } else { USED_NO_NOTIFY };
        Self::half_word(self.used, 0).store(flags, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Does the driver want to be told that requests came back?
    pub fn wants_interrupt(&self) -> bool {
        fence(Ordering::SeqCst);
        let flags = Self::half_word(self.available, 0).load(Ordering::Relaxed);
        flags & AVAILABLE_NO_INTERRUPT == 0
    }
}
