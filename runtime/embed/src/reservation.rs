//! Address space of linear memories. A signal handler asks whether an address is in one, so that the list
//! of them only grows; freed entries are used again.
//!
//! Some of those that are given back are kept for the next ones: making one is cheap, but emulators have a
//! table entry for each page that ever was in one.

use std::io;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

struct Node {
    start: AtomicU64,
    /// 0: free.
    len: AtomicU64,
    next: *mut Node,
}

static FIRST: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

/// Held while the list changes.
static CHANGING: Mutex<()> = Mutex::new(());

/// Before and behind each one nothing is mapped.
const GUARD: u64 = 64 << 10;

/// Reservations for 32-bit memories that are not in use.
static POOL: Mutex<Vec<Reservation>> = Mutex::new(Vec::new());

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
    std::iter::from_fn(move || {
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
    pub(crate) fn new(len: u64) -> io::Result<Reservation> {
        let len = len.next_multiple_of(GUARD);
        let pooled = || {
            let mut pool = POOL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let found = pool.iter().position(|r| r.len == len)?;
            Some(pool.swap_remove(found))
        };
        if let Some(reservation) = pooled() {
            return Ok(reservation);
        }
        let all = usize::try_from(len + 2 * GUARD).map_err(io::Error::other)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping, at no particular address.
        let start = unsafe { libc::mmap(ptr::null_mut(), all, libc::PROT_NONE, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = start as u64;
        let _changing = CHANGING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match nodes().find(|node| node.len.load(Ordering::Acquire) == 0) {
            Some(node) => {
                node.start.store(start, Ordering::Release);
                node.len.store(all as u64, Ordering::Release);
            }
            None => {
                let next = FIRST.load(Ordering::Acquire);
                let node = Node { start: start.into(), len: (all as u64).into(), next };
                FIRST.store(Box::leak(Box::new(node)), Ordering::Release);
            }
        }
        Ok(Reservation { base: start + GUARD, len, open: 0 })
    }

    /// Makes the bytes before `end` accessible.
    pub(crate) fn open(&mut self, end: u64) -> io::Result<()> {
        // The host's pages may be larger than 4 KiB, never larger than this.
        let page = page_size();
        let (from, end) = (self.open, end.next_multiple_of(page));
        if end > self.len {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        if end <= from {
            return Ok(());
        }
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let address = (self.base + from) as *mut libc::c_void;
        // SAFETY: inside this reservation.
        match unsafe { libc::mprotect(address, (end - from) as usize, protection) } {
            0 => {
                self.open = end;
                Ok(())
            }
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn page_size() -> u64 {
    // SAFETY: a plain query.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as u64 }
}

impl Reservation {
    /// Forgets the contents.
    fn close(&mut self) -> io::Result<()> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        let (address, len) = (self.base as *mut libc::c_void, self.open as usize);
        if len > 0 {
            // SAFETY: inside this reservation, to which nothing refers any more.
            let mapped = unsafe { libc::mmap(address, len, libc::PROT_NONE, flags, -1, 0) };
            if mapped == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
        }
        self.open = 0;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.len == linnet_abi::memory::SLOT_SIZE && self.close().is_ok() {
            let mut pool = POOL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if pool.len() < POOL_SIZE {
                let Reservation { base, len, open } = *self;
                pool.push(Reservation { base, len, open });
                return;
            }
        }
        let start = self.base - GUARD;
        let _changing = CHANGING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for node in nodes() {
            if node.start.load(Ordering::Acquire) == start {
                node.len.store(0, Ordering::Release);
            }
        }
        // SAFETY: nothing refers to it any more: its memory's owner drops it.
        unsafe { libc::munmap(start as *mut libc::c_void, (self.len + 2 * GUARD) as usize) };
    }
}
