//! Guest-physical memory as devices see it.

use linnet_abi::memory::NULL_GUARD;

/// A part of memory, as readv(2) and writev(2) take it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct IoVec {
    pub start: *mut u8,
    pub len: usize,
}

/// All of it. The guest may read and write any of it at any time.
#[derive(Debug, Clone, Copy)]
pub struct GuestMemory {
    base: *mut u8,
    size: u64,
}

impl GuestMemory {
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
