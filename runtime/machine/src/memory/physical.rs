//! Guest-physical memory as devices see it.

use crate::memory::layout::Layout;
use crate::memory::ram::Ram;
use linnet_abi::memory::NULL_GUARD;

/// All of it. The guest may read and write any of it at any time.
#[derive(Debug, Clone, Copy)]
pub struct GuestMemory {
    base: *mut u8,
    size: u64,
}

impl GuestMemory {
    /// That of the machine.
    pub fn get() -> GuestMemory {
        let ram = Ram::get();
        // SAFETY: mapped from the first address that anybody may use. What the kernel flushed of it faults, and
        // then the kernel handles that; the caller holds nothing.
        unsafe { GuestMemory::new(Layout::get().slots as *mut u8, ram.size) }
    }

    /// # Safety
    /// The `size` bytes from `base` but the first 64 KiB must be mapped as long as this is used, with
    /// nothing there that Rust knows of.
    pub unsafe fn new(base: *mut u8, size: u64) -> GuestMemory {
        GuestMemory { base, size }
    }

    /// Host address of a range, if all of it is there.
    pub fn range(self, address: u64, len: u64) -> Option<*mut u8> {
        let end = address.checked_add(len)?;
        let exists = address >= NULL_GUARD && end <= self.size;
        exists.then(|| self.base.wrapping_add(address as usize))
    }
}
