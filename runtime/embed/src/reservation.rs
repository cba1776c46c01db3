//! Address space of linear memories.
//!
//! Some of what is given back is kept for the next ones: making one is cheap, but emulators have a table entry for
//! each page that ever was in one.

use crate::host::lock::Lock;
use crate::host::memory::{self, Errno, File};
use alloc::vec::Vec;

/// Before and behind each one nothing is mapped.
pub(crate) const GUARD: u64 = 64 << 10;

/// Reservations for 32-bit memories that are not in use.
static POOL: Lock<Vec<Reservation>> = Lock::new(Vec::new());

const POOL_SIZE: usize = 16;

/// A range of addresses.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) base: u64,
    len: u64,
    /// End of what is accessible, from the base.
    open: u64,
    /// End of what is a private copy of a file, from the base.
    image: u64,
}

impl Reservation {
    pub(crate) fn new(len: u64) -> Result<Reservation, Errno> {
        let len = len.next_multiple_of(GUARD);
        let pooled = || {
            let mut pool = POOL.lock();
            let found = pool.iter().position(|r| r.len == len)?;
            Some(pool.swap_remove(found))
        };
        if let Some(reservation) = pooled() {
            return Ok(reservation);
        }
        let start = memory::reserve(len.checked_add(2 * GUARD).ok_or(Errno::ENOMEM)?)?;
        Ok(Reservation { base: start + GUARD, len, open: 0, image: 0 })
    }

    /// Makes the bytes before `end` accessible.
    pub(crate) fn open(&mut self, end: u64) -> Result<(), Errno> {
        // The host's pages may be larger than 4 KiB, never larger than this.
        let (from, end) = (self.open, end.next_multiple_of(GUARD));
        if end > self.len {
            return Err(Errno::ENOMEM);
        }
        if end > from {
            // SAFETY: inside this reservation.
            unsafe { memory::open(self.base + from, end - from)? };
            self.open = end;
        }
        Ok(())
    }

    /// Makes what is accessible now what [`Reservation::restore`] goes back to. No other thread may write meanwhile.
    pub(crate) fn freeze(&mut self) -> Result<(), Errno> {
        if self.open == 0 {
            return Ok(());
        }
        let file = File::new(self.open)?;
        // SAFETY: accessible, and nobody writes to it.
        let bytes =
            unsafe { core::slice::from_raw_parts(self.base as *const u8, self.open as usize) };
        for (number, chunk) in bytes.chunks(GUARD as usize).enumerate() {
            // What is all zeros is a hole.
            if chunk.iter().any(|byte| *byte != 0) {
                file.write(number as u64 * GUARD, chunk)?;
            }
        }
        // SAFETY: inside this reservation; the contents stay the same.
        unsafe { file.map(self.base, self.open)? };
        self.image = self.open;
        Ok(())
    }

    /// Takes back what happened since [`Reservation::freeze`].
    pub(crate) fn restore(&mut self) -> Result<(), Errno> {
        if self.image > 0 {
            // SAFETY: private copies of pages of the file, which is there again then.
            unsafe { memory::discard(self.base, self.image)? };
        }
        self.close(self.image)
    }

    /// Forgets the contents from `from` on.
    fn close(&mut self, from: u64) -> Result<(), Errno> {
        if self.open > from {
            // SAFETY: inside this reservation, and nobody uses that part any more.
            unsafe { memory::close(self.base + from, self.open - from)? };
            self.open = from;
        }
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.len == linnet_abi::memory::SLOT_SIZE && self.close(0).is_ok() {
            let mut pool = POOL.lock();
            if pool.len() < POOL_SIZE {
                let Reservation { base, len, open, .. } = *self;
                pool.push(Reservation { base, len, open, image: 0 });
                return;
            }
        }
        // SAFETY: nothing refers to it any more: its memory's owner drops it.
        unsafe { memory::release(self.base - GUARD, self.len + 2 * GUARD) };
    }
}
