//! Guest memory: one memory file, mapped as the kernel's linear memory.

use crate::host::exit::{self, fatal};
use crate::host::sys;
use crate::memory::tlb;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use linnet_abi::memory::{LARGE_PAGE, MEMORY_SIZE, NULL_GUARD};
use linnet_abi::module::Module;

/// What is fixed once the machine has started.
pub struct Ram {
    pub fd: i32,
    /// Bytes of guest memory.
    pub size: u64,
    /// Base-2 logarithm of the guest's page size.
    pub page_shift: u32,
    pub kernel: &'static Module,
}

/// Which large pages there are, or cannot be.
static JOINED: [AtomicBool; (MEMORY_SIZE / LARGE_PAGE) as usize] =
    [const { AtomicBool::new(false) }; (MEMORY_SIZE / LARGE_PAGE) as usize];

struct Slot(UnsafeCell<Option<Ram>>);

// SAFETY: written once, before the second thread starts.
unsafe impl Sync for Slot {}

static RAM: Slot = Slot(UnsafeCell::new(None));

impl Ram {
    /// # Panics
    /// Before [`init`].
    pub fn get() -> &'static Ram {
        // SAFETY: only `init` writes it, before anybody else runs.
        unsafe { (*RAM.0.get()).as_ref().expect("memory is made first") }
    }

    /// Host address of an address of the kernel.
    pub fn host(&self, address: u32) -> *mut u8 {
        (tlb::base(0) + u64::from(address)) as *mut u8
    }

    /// Give pages back to the host. They read as zeros when they are used again.
    pub fn discard(&self, pfn: u32, count: u32) {
        let start = u64::from(pfn) << self.page_shift;
        let size = u64::from(count) << self.page_shift;
        if start >= NULL_GUARD && start + size <= self.size {
            for chunk in start / LARGE_PAGE..(start + size).div_ceil(LARGE_PAGE) {
                JOINED[chunk as usize].store(false, Ordering::Relaxed);
            }
            sys::punch_hole(self.fd, start, size);
        }
    }

    /// Keep the memory around a page in one large page of the host: it maps many pages of it at once, and
    /// its TLB holds them in one entry.
    pub fn join(&self, pfn: u32) {
        static IS_REFUSED: AtomicBool = AtomicBool::new(false);

        let chunk = (u64::from(pfn) << self.page_shift) / LARGE_PAGE;
        let start = chunk * LARGE_PAGE;
        // The kernel's linear memory begins inside the first one.
        if chunk == 0
            || start + LARGE_PAGE > self.size
            || IS_REFUSED.load(Ordering::Relaxed)
            || JOINED[chunk as usize].swap(true, Ordering::Relaxed)
        {
            return;
        }
        let address = self.host(start as u32);
        // SAFETY: guest memory, mapped (checked above), whose contents stay. Where no page is, the host
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

    /// Read a 32-bit word of the kernel's memory.
    pub fn word(&self, address: u32) -> u32 {
        // SAFETY: the addresses asked for are symbols of the kernel, inside its memory.
        unsafe { self.host(address).cast::<u32>().read_volatile() }
    }
}

/// Make guest memory of `size` bytes and lay the kernel's data in it.
pub fn init(size: u64, kernel: &'static Module) {
    let fd = sys::memfd(size);
    if fd < 0 {
        fatal!(exit::HOST, "the host refuses a memory file of {size} bytes (errno {})", -fd);
    }
    let start = tlb::base(0) + NULL_GUARD;
    let flags = sys::MAP_SHARED | sys::MAP_FIXED_NOREPLACE;
    let prot = sys::PROT_READ | sys::PROT_WRITE;
    let len = (size - NULL_GUARD) as usize;
    // SAFETY: NOREPLACE: nothing is taken away.
    let r = unsafe { sys::mmap(start as usize, len, prot, flags, fd, NULL_GUARD) };
    if r != start as isize {
        fatal!(exit::HOST, "the host refuses to map {len} bytes of guest memory");
    }
    // SAFETY: the descriptor comes from the translator; only one thread runs yet.
    unsafe {
        let segments = core::slice::from_raw_parts(kernel.segments, kernel.segment_count as usize);
        for segment in segments {
            if u64::from(segment.address) + u64::from(segment.len) > size {
                fatal!(
                    exit::USAGE,
                    "{size} bytes of memory do not hold the kernel\nhint: give it more with --memory"
                );
            }
            let to = (tlb::base(0) + u64::from(segment.address)) as *mut u8;
            core::ptr::copy_nonoverlapping(segment.bytes, to, segment.len as usize);
        }
        *RAM.0.get() = Some(Ram { fd, size, page_shift: 12, kernel });
    }
}

/// Tell the page size, which lies in the kernel's memory.
pub fn set_page_shift(page_shift: u32) {
    // SAFETY: only one thread runs yet.
    unsafe {
        if let Some(ram) = &mut *RAM.0.get() {
            ram.page_shift = page_shift;
        }
    }
}
