//! How much of guest-physical memory the host holds, and in which pages.

use crate::host::sys;
use crate::memory::demand;
use crate::memory::layout::Layout;
use crate::memory::ram::Ram;
use crate::memory::range::RamPages;
use core::sync::atomic::{AtomicBool, Ordering};
use linnet_abi::memory::{LARGE_PAGE, MEMORY_SIZE};

/// Which large pages there are, or cannot be.
static JOINED: [AtomicBool; (MEMORY_SIZE / LARGE_PAGE) as usize] =
    [const { AtomicBool::new(false) }; (MEMORY_SIZE / LARGE_PAGE) as usize];

/// Give pages back to the host. They read as zeros when they are used again.
pub fn discard(pages: RamPages) {
    let (start, size) = (pages.offset(), pages.size());
    for chunk in start / LARGE_PAGE..(start + size).div_ceil(LARGE_PAGE) {
        JOINED[chunk as usize].store(false, Ordering::Relaxed);
    }
    if size != 0 {
        sys::punch_hole(Ram::get().fd, start, size);
    }
}

/// Keep the memory around a page in one large page of the host: it maps many pages of it at once, and
/// its TLB holds them in one entry.
pub fn join(page: RamPages) {
    static IS_REFUSED: AtomicBool = AtomicBool::new(false);

    let chunk = page.offset() / LARGE_PAGE;
    let start = chunk * LARGE_PAGE;
    // The kernel's linear memory begins inside the first one.
    if chunk == 0
        || start + LARGE_PAGE > Ram::get().size
        || IS_REFUSED.load(Ordering::Relaxed)
        || JOINED[chunk as usize].swap(true, Ordering::Relaxed)
    {
        return;
    }
    demand::need(start..start + LARGE_PAGE);
    let address = (Layout::get().slots + start) as *mut u8;
    // SAFETY: in the kernel's memory (checked above), whose contents stay. Where no page is, the host
    // joins nothing.
    let r = unsafe {
        address.read_volatile();
        sys::madvise(address as usize, LARGE_PAGE as usize, sys::MADV_COLLAPSE)
    };
    // An old host, or one whose memory is in pieces: to look for more would take long each time.
    if r < 0 {
        IS_REFUSED.store(true, Ordering::Relaxed);
    }
}
