//! Guest-physical memory as devices see it.

use crate::memory::layout::Layout;
use crate::memory::ram::Ram;
pub use linnet_virtio::memory::GuestMemory;

/// That of the machine.
pub fn guest_memory() -> GuestMemory {
    let ram = Ram::get();
    // SAFETY: mapped from the first address that anybody may use. What the kernel flushed of it faults, and
    // then the kernel handles that; the caller holds nothing.
    unsafe { GuestMemory::new(Layout::get().slots as *mut u8, ram.size) }
}
