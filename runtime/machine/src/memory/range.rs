//! Ranges of memory that the kernel names. They are checked where they are made: whoever has one need
//! not look again.

use crate::memory::ids::MemoryId;
use crate::memory::layout::Layout;
use crate::memory::ram::Ram;
use core::ops::Range;
use linnet_abi::memory::{MEMORY_SIZE, NULL_GUARD};

/// Pages of a linear memory, where the TLB may map something. None of them is one of the first 64 KiB,
/// nor of a program's last.
#[derive(Debug, Clone, Copy)]
pub struct PageRange {
    memory: MemoryId,
    address: u64,
    size: u64,
}

impl PageRange {
    /// `None` unless all of them exist, and are not such as the runtime itself reads.
    pub fn new(memory: MemoryId, address: u32, count: u32) -> Option<PageRange> {
        let (address, size) = (u64::from(address), u64::from(count) << Ram::get().page_shift);
        let end = if memory == MemoryId::KERNEL { MEMORY_SIZE } else { USER_END };
        let is_whole = address.is_multiple_of(1 << Ram::get().page_shift);
        let range = PageRange { memory, address, size };
        let exists = is_whole && address >= NULL_GUARD && address + size <= end;
        (exists && !range.is_pinned()).then_some(range)
    }

    /// Those of the pages that exist.
    pub fn existing(memory: MemoryId, address: u32, count: u32) -> Option<PageRange> {
        let shift = Ram::get().page_shift;
        let start = u64::from(address).clamp(NULL_GUARD, USER_END);
        let end = (u64::from(address) + (u64::from(count) << shift)).clamp(start, USER_END);
        PageRange::new(memory, start as u32, ((end - start) >> shift) as u32)
    }

    /// All that is not guest-physical memory in the kernel's own.
    pub fn behind_ram() -> PageRange {
        let address = Ram::get().size;
        PageRange { memory: MemoryId::KERNEL, address, size: MEMORY_SIZE - address }
    }

    pub fn memory(self) -> MemoryId {
        self.memory
    }

    pub fn size(self) -> usize {
        self.size as usize
    }

    /// In its memory.
    pub fn address(self) -> u64 {
        self.address
    }

    /// Is there guest-physical memory of the kernel in it?
    pub fn is_of_ram(self) -> bool {
        self.memory == MemoryId::KERNEL && self.address < Ram::get().size
    }

    /// Are these the pages where they are for good?
    pub fn is_place_of(self, pages: RamPages) -> bool {
        self.address == pages.offset && self.size == pages.size
    }

    fn is_pinned(self) -> bool {
        let end = self.address + self.size;
        self.is_of_ram()
            && Ram::get()
                .pinned
                .iter()
                .any(|pin| u64::from(pin.start) < end && self.address < u64::from(pin.end))
    }
}

/// End of what a program may use of its memory.
const USER_END: u64 = MEMORY_SIZE - NULL_GUARD;

/// Pages of guest-physical memory. None of them is one of the first 64 KiB, which nobody uses.
#[derive(Debug, Clone, Copy)]
pub struct RamPages {
    offset: u64,
    size: u64,
}

impl RamPages {
    pub fn new(pfn: u32, count: u32) -> Option<RamPages> {
        let ram = Ram::get();
        let (offset, size) = (u64::from(pfn) << ram.page_shift, u64::from(count) << ram.page_shift);
        (offset >= NULL_GUARD && offset + size <= ram.size).then_some(RamPages { offset, size })
    }

    /// In the memory file.
    pub fn offset(self) -> u64 {
        self.offset
    }

    pub fn size(self) -> u64 {
        self.size
    }
}

/// Bytes of the kernel's linear memory.
///
/// What lies in guest-physical memory is there. What does not may fault: then the kernel handles that
/// below the caller, who therefore holds nothing that anybody waits for.
#[derive(Debug, Clone, Copy)]
pub struct GuestSlice {
    address: u32,
    len: u32,
}

impl GuestSlice {
    pub fn new(address: u32, len: u32) -> Option<GuestSlice> {
        let exists =
            u64::from(address) >= NULL_GUARD && u64::from(address) + u64::from(len) <= MEMORY_SIZE;
        (exists || len == 0).then_some(GuestSlice { address, len })
    }

    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Where it is in that memory.
    pub fn part(self) -> Range<u64> {
        self.address.into()..u64::from(self.address) + u64::from(self.len)
    }

    /// Host address, for calls of the host, which answer a fault with an error.
    pub fn host(self) -> *mut u8 {
        (Layout::get().slots + u64::from(self.address)) as *mut u8
    }

    /// Copy what fits of `bytes` to the place `at`; how much that was.
    pub fn write(self, at: usize, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.len().saturating_sub(at));
        // SAFETY: inside the kernel's linear memory, where nothing of Rust lies.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.host().add(at), n) };
        n
    }

    /// Copy what is at the place `at` to `bytes`, as far as there is so much; how much that was. Another vCPU
    /// may write to it meanwhile: the copy is what counts.
    pub fn copy(self, at: usize, bytes: &mut [u8]) -> usize {
        let n = bytes.len().min(self.len().saturating_sub(at));
        // SAFETY: inside the kernel's linear memory, where nothing of Rust lies.
        unsafe { core::ptr::copy_nonoverlapping(self.host().add(at), bytes.as_mut_ptr(), n) };
        n
    }

    /// Copy what is there to `bytes`, which is not longer.
    pub fn read(self, bytes: &mut [u8]) {
        for (at, byte) in bytes.iter_mut().take(self.len()).enumerate() {
            // SAFETY: as above. Volatile: each byte is read once, whatever another vCPU writes meanwhile.
            *byte = unsafe { self.host().add(at).read_volatile() };
        }
    }

    /// The 32-bit word that it begins with.
    pub fn word(self) -> u32 {
        let mut bytes = [0; 4];
        self.read(&mut bytes);
        u32::from_le_bytes(bytes)
    }
}
