//! Address space of linear memories. A signal handler asks whether an address is in one, so that the list
//! of them only grows; freed entries are used again.
//!
//! Some of those that are given back are kept for the next ones: making one is cheap, but emulators have a
//! table entry for each page that ever was in one.

use crate::host::lock::Lock;
use crate::host::memory::{self, Errno};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

struct Node {
    start: AtomicU64,
    /// 0: free.
    len: AtomicU64,
    next: *mut Node,
}

static FIRST: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

/// Held while the list changes.
static CHANGING: Lock<()> = Lock::new(());

/// Before and behind each one nothing is mapped.
const GUARD: u64 = 64 << 10;

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
}

fn nodes() -> impl Iterator<Item = &'static Node> {
    let mut next = FIRST.load(Ordering::Acquire);
    core::iter::from_fn(move || {
        // SAFETY: nodes are never freed.
        let node = unsafe { next.as_ref()? };
        next = node.next;
        Some(node)
    })
}

/// Whether the address is in a reservation or its guards.
pub(crate) fn contains(address: u64) -> bool {
    nodes().any(|node| {
        let start = node.start.load(Ordering::Acquire);
        address.wrapping_sub(start) < node.len.load(Ordering::Acquire)
    })
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
        let all = len.checked_add(2 * GUARD).ok_or(Errno::ENOMEM)?;
        let start = memory::reserve(all)?;
        let _changing = CHANGING.lock();
        match nodes().find(|node| node.len.load(Ordering::Acquire) == 0) {
            Some(node) => {
                node.start.store(start, Ordering::Release);
                node.len.store(all, Ordering::Release);
            }
            None => {
                let next = FIRST.load(Ordering::Acquire);
                let node = Node { start: start.into(), len: all.into(), next };
                FIRST.store(Box::leak(Box::new(node)), Ordering::Release);
            }
        }
        Ok(Reservation { base: start + GUARD, len, open: 0 })
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
}

impl Reservation {
    /// Forgets the contents.
    fn close(&mut self) -> Result<(), Errno> {
        if self.open > 0 {
            // SAFETY: inside this reservation, to which nothing refers any more.
            unsafe { memory::close(self.base, self.open)? };
        }
        self.open = 0;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.len == linnet_abi::memory::SLOT_SIZE && self.close().is_ok() {
            let mut pool = POOL.lock();
            if pool.len() < POOL_SIZE {
                let Reservation { base, len, open } = *self;
                pool.push(Reservation { base, len, open });
                return;
            }
        }
        let start = self.base - GUARD;
        let _changing = CHANGING.lock();
        for node in nodes() {
            if node.start.load(Ordering::Acquire) == start {
                node.len.store(0, Ordering::Release);
            }
        }
        // SAFETY: nothing refers to it any more: its memory's owner drops it.
        unsafe { memory::release(start, self.len + 2 * GUARD) };
    }
}
