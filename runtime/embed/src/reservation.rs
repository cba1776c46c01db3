//! Address space of linear memories. A signal handler asks whether an address is in one, so that the list
//! of them only grows; freed entries are used again.

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

/// A range of addresses.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) base: u64,
    len: u64,
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
        Ok(Reservation { base: start + GUARD, len })
    }

    /// Makes the bytes before `end` accessible; those before `from` are already.
    pub(crate) fn open(&self, from: u64, end: u64) -> io::Result<()> {
        // The host's pages may be larger than 4 KiB, never larger than this.
        let page = page_size();
        let (from, end) = (from.next_multiple_of(page), end.next_multiple_of(page));
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
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn page_size() -> u64 {
    // SAFETY: a plain query.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as u64 }
}

impl Drop for Reservation {
    fn drop(&mut self) {
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
