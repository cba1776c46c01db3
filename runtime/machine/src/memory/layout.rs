//! Where things lie in the host's address space.
//!
//! Linear memories and stacks lie at fixed places, which the host must leave alone. The host's own
//! mappings (this file, its first stack, what it puts anywhere) lie low and at the top.
//!
//! | addresses of a process      | slots for memories         | regions for tasks          |
//! |-----------------------------|----------------------------|----------------------------|
//! | 47 bits or more             | 12,000 from 2^44           | 65,536 from 7 * 2^44       |
//! | 39 bits (AArch64), 512 GiB  | 52 from 8 GiB              | 4,096 behind them          |
//! | 38 bits (RISC-V), 256 GiB   | 24 from 8 GiB              | 2,048 behind them          |
//!
//! With few slots, memories share them: see `slot_sharing`. `--address-bits` makes any host look like one
//! that has fewer addresses.

pub use crate::arch::head::TASK_OFFSET;
use crate::host::exit::{self, fatal};
use crate::host::sys;
use core::cell::UnsafeCell;
use linnet_abi::memory::SLOT_SIZE;

/// Most memories that a machine can have.
pub const MEMORIES: usize = 12_000;

/// Address space of one task: both stacks and the `Task` itself. See `arch`.
pub const REGION_SIZE: usize = linnet_abi::context::REGION_SIZE as usize;
pub const PAGE: usize = 4096;
/// Below the user stack nothing is mapped. Frames larger than this probe their way down.
pub const GUARD: usize = 64 << 10;
/// Above the guard, mapped only while a handler of the stack's overflow may run there.
pub const RESERVE: usize = 256 << 10;
pub const USER_BOTTOM: usize = GUARD + RESERVE;
/// A signal handler begins with no less.
pub const ROOM: usize = 64 << 10;
pub const USER_TOP: usize = 8 << 20;
pub const KERNEL_STACK: usize = 252 << 10;
/// Between the stacks: where frames of contexts are kept.
pub const UCONTEXT_AREA: usize = USER_TOP + GUARD;
pub const UCONTEXT_AREA_SIZE: usize = TASK_OFFSET - KERNEL_STACK - GUARD - UCONTEXT_AREA;

/// What is fixed once the machine has started.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Slot 0 is the kernel's linear memory.
    pub slots: u64,
    pub slot_count: usize,
    pub regions: usize,
    pub region_count: usize,
}

const LARGE: Layout = Layout {
    slots: 0x1000_0000_0000,
    slot_count: MEMORIES,
    regions: 0x7000_0000_0000,
    region_count: 1 << 16,
};

/// Widths of addresses that a process may have: on x86-64 always the first; on AArch64 also the
/// second; on RISC-V with sv39 the last, for the upper half of 39 bits is the kernel's.
pub const ADDRESS_BITS: [u32; 3] = [LARGE_BITS, 39, 38];
const LARGE_BITS: u32 = 47;

struct Global(UnsafeCell<Layout>);

// SAFETY: written before the second thread starts.
unsafe impl Sync for Global {}

static LAYOUT: Global = Global(UnsafeCell::new(LARGE));

impl Layout {
    pub fn get() -> Layout {
        // SAFETY: only `init` writes it, before anybody else runs.
        unsafe { *LAYOUT.0.get() }
    }

    /// Are there fewer slots than memories?
    pub fn is_small() -> bool {
        Layout::get().slot_count < MEMORIES
    }

    fn small(bits: u32) -> Layout {
        let units = (1_usize << bits) / SLOT_SIZE as usize;
        // The lowest unit and the three uppermost ones are the host's.
        let for_regions = units / 8;
        let slot_count = units - 4 - for_regions;
        Layout {
            slots: SLOT_SIZE,
            slot_count,
            regions: (1 + slot_count) * SLOT_SIZE as usize,
            region_count: for_regions * SLOT_SIZE as usize / REGION_SIZE,
        }
    }
}

/// Find out how many addresses the host gives to a process, unless it is to be no more than `limit`
/// bits.
pub fn init(limit: Option<u32>) {
    // Between the half and the end, where the first stack is.
    let bits = ADDRESS_BITS
        .into_iter()
        .filter(|bits| limit.is_none_or(|limit| *bits <= limit))
        .find(|bits| exists(3 << (bits - 2)));
    let layout = match bits {
        Some(LARGE_BITS) => return,
        Some(bits) => Layout::small(bits),
        None => fatal!(exit::HOST, "the host gives this process too few addresses"),
    };
    let from = layout.slots as usize;
    let size = layout.regions + layout.region_count * REGION_SIZE - from;
    if reserve(from, size) != Some(from) {
        fatal!(exit::HOST, "the host uses addresses from {from:#x} to {:#x}", from + size);
    }
    // SAFETY: mapped just now, and only to see whether it can be.
    unsafe {
        sys::munmap(from, size);
        *LAYOUT.0.get() = layout;
    }
}

/// Can a process of this host have memory at `address`?
fn exists(address: usize) -> bool {
    const PAGE: usize = 64 << 10;
    match reserve(address, PAGE) {
        // Something lies there already.
        None => true,
        Some(at) => {
            // SAFETY: mapped just now.
            unsafe { sys::munmap(at, PAGE) };
            at == address
        }
    }
}

/// Map nothing but addresses. A host that does not know `MAP_FIXED_NOREPLACE` may choose others;
/// `None` if they are taken. Addresses that do not exist are given as 0.
fn reserve(address: usize, size: usize) -> Option<usize> {
    const EEXIST: isize = -17;
    let flags =
        sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | sys::MAP_NORESERVE | sys::MAP_FIXED_NOREPLACE;
    // SAFETY: NOREPLACE: nothing is taken away.
    match unsafe { sys::mmap(address, size, 0, flags, -1, 0) } {
        EEXIST => None,
        at => Some(usize::try_from(at).unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_regions_lie_side_by_side_where_the_process_may_have_memory() {
        let small = [38, 39].map(|bits| (bits, Layout::small(bits)));
        for (bits, layout) in small.into_iter().chain([(LARGE_BITS, LARGE)]) {
            let slots_end = layout.slots as usize + layout.slot_count * SLOT_SIZE as usize;
            let regions_end = layout.regions + layout.region_count * REGION_SIZE;
            assert!(slots_end <= layout.regions, "{bits}");
            assert!(regions_end < 1 << bits, "{bits}");
            assert!(
                layout.regions.is_multiple_of(REGION_SIZE),
                "a task is found by masking: {bits}"
            );
        }
    }

    #[test]
    fn a_region_has_holes_below_both_stacks() {
        assert!(USER_BOTTOM < USER_TOP && USER_TOP + GUARD <= UCONTEXT_AREA);
        let kernel_bottom = TASK_OFFSET - KERNEL_STACK;
        assert_eq!(UCONTEXT_AREA + UCONTEXT_AREA_SIZE + GUARD, kernel_bottom);
        assert_eq!(TASK_OFFSET + PAGE, REGION_SIZE);
        assert!(RESERVE > ROOM, "a handler of an overflow has its room in the reserve");
    }
}
