//! Guest memory: one memory file, mapped as the kernel's linear memory.

use crate::host::exit::{self, fatal};
use crate::host::sys;
use crate::memory::layout::Layout;
use core::cell::UnsafeCell;
use core::ops::Range;
use linnet_abi::memory::NULL_GUARD;
use linnet_abi::module::Module;

/// What is fixed once the machine has started.
pub struct Ram {
    pub fd: i32,
    /// Bytes of guest memory.
    pub size: u64,
    /// Base-2 logarithm of the guest's page size.
    pub page_shift: u32,
    pub kernel: &'static Module,
    /// What the runtime reads at any time, on any thread: it must stay mapped.
    pub pinned: [Range<u32>; 2],
}

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
}

/// Make guest memory of `size` bytes and lay the kernel's data in it, unless that comes from elsewhere.
pub fn init(size: u64, kernel: &'static Module, with_data: bool) {
    let fd = sys::memfd(c"linnet-ram", size);
    if fd < 0 {
        let hint = match fd as isize {
            sys::EFBIG => "\nhint: raise `ulimit -f`, or give less --memory",
            sys::EMFILE => "\nhint: raise `ulimit -n`",
            _ => "",
        };
        fatal!(exit::HOST, "the host refuses a memory file of {size} bytes (errno {}){hint}", -fd);
    }
    let base = Layout::get().slots;
    let start = base + NULL_GUARD;
    let flags = sys::MAP_SHARED | sys::MAP_FIXED_NOREPLACE;
    let prot = sys::PROT_READ | sys::PROT_WRITE;
    let len = (size - NULL_GUARD) as usize;
    // SAFETY: NOREPLACE: nothing is taken away.
    let r = unsafe { sys::mmap(start as usize, len, prot, flags, fd, NULL_GUARD) };
    if r != start as isize {
        fatal!(
            exit::HOST,
            "the host refuses to map {} MiB of guest memory\nhint: allow this process more addresses (ulimit -v), or give the machine less memory with --memory",
            len >> 20
        );
    }
    // SAFETY: the descriptor comes from the translator; only one thread runs yet.
    unsafe {
        let segments = core::slice::from_raw_parts(kernel.segments, kernel.segment_count as usize);
        for segment in segments.iter().take(if with_data { segments.len() } else { 0 }) {
            if u64::from(segment.address) + u64::from(segment.len) > size {
                fatal!(
                    exit::USAGE,
                    "{size} bytes of memory do not hold the kernel\nhint: give it more with --memory"
                );
            }
            if segment.len != 0 && u64::from(segment.address) < NULL_GUARD {
                fatal!(exit::KERNEL, "the kernel has data in its first {} KiB", NULL_GUARD >> 10);
            }
            let to = (base + u64::from(segment.address)) as *mut u8;
            core::ptr::copy_nonoverlapping(segment.bytes, to, segment.len as usize);
        }
        let nothing = [const { 0..0 }; 2];
        *RAM.0.get() = Some(Ram { fd, size, page_shift: 12, kernel, pinned: nothing });
    }
}

/// Tell what the kernel's memory says of itself: the base-2 logarithm of the size of its pages, and where
/// the runtime reads from it while it runs.
pub fn describe(page_shift: u32, pinned: [Range<u32>; 2]) {
    // SAFETY: only one thread runs yet.
    unsafe {
        if let Some(ram) = &mut *RAM.0.get() {
            ram.page_shift = page_shift;
            ram.pinned = pinned;
        }
    }
}
