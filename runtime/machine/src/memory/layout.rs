//! Where things lie in the host's address space.
//!
//! Linear memories and stacks lie at fixed places. The host's own mappings (this file, its first stack, the
//! vDSO) lie low and at the top; with a stack without limit, or where a host has it so, also in the middle:
//! a slot or region that has something in it is left out. All else that the runtime maps lies right below
//! the slots, so that the host has nothing to choose; and below that, code that is translated on exec.
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
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use linnet_abi::context::{Context, RESULTS_SIZE};
use linnet_abi::memory::SLOT_SIZE;

/// Most memories that a machine can have.
pub const MEMORIES: usize = 12_000;

/// Address space of one task: both stacks and the `Task` itself. See `arch`.
pub const REGION_SIZE: usize = linnet_abi::context::REGION_SIZE as usize;
pub const PAGE: usize = 4096;
/// At the start of a region: the context of user code, and room for results.
pub const CONTEXT_SIZE: usize = (size_of::<Context>() + RESULTS_SIZE).next_multiple_of(PAGE);
/// Below the user stack nothing is mapped. Frames larger than this probe their way down.
pub const GUARD: usize = 64 << 10;
/// Above the guard, mapped only while a handler of the stack's overflow may run there.
pub const RESERVE: usize = 256 << 10;
pub const RESERVE_BOTTOM: usize = CONTEXT_SIZE + GUARD;
pub const USER_BOTTOM: usize = RESERVE_BOTTOM + RESERVE;
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

    /// Where the code of programs lies that are translated while the machine runs.
    pub fn code(&self) -> Range<usize> {
        let end = self.slots as usize - OWN_SIZE;
        end - CODE_SIZE..end
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
/// bits. `known` are addresses that the host has put something at when it started the process: its file,
/// its first stack, the vDSO. Nothing comes to lie anywhere later, for the runtime chooses the places of
/// all its own mappings, of which it may have `mappings`.
pub fn init(limit: Option<u32>, known: &[usize], mappings: u32) {
    // Between the half and the end, where the first stack is.
    let bits = ADDRESS_BITS
        .into_iter()
        .filter(|bits| limit.is_none_or(|limit| *bits <= limit))
        .find(|bits| exists(3 << (bits - 2)));
    let mut layout = match bits {
        Some(LARGE_BITS) => LARGE,
        Some(bits) => Layout::small(bits),
        None => fatal!(exit::HOST, "the host gives this process too few addresses"),
    };
    layout.region_count = layout.region_count.min(regions_within(mappings));
    // SAFETY: only one thread runs yet.
    unsafe { *LAYOUT.0.get() = layout };
    for slot in 0..layout.slot_count {
        if layout.is_taken(slot, known) {
            // SAFETY: as above.
            unsafe { (*TAKEN.0.get()).0[slot / 64] |= 1 << (slot % 64) };
        }
    }
    if is_taken(0) {
        fatal!(
            exit::HOST,
            "the host uses addresses from {:#x}, where the kernel is to lie",
            layout.slots
        );
    }
}

/// So many regions a process can have that may have so many mappings: their two stacks take no more than three
/// quarters, so that guest memory can always be mapped.
const fn regions_within(mappings: u32) -> usize {
    mappings as usize / 4 * 3 / 2
}

/// Slots that have something of the host in them.
struct Taken(UnsafeCell<([u64; MEMORIES.div_ceil(64)],)>);

// SAFETY: written before the second thread starts.
unsafe impl Sync for Taken {}

static TAKEN: Taken = Taken(UnsafeCell::new(([0; MEMORIES.div_ceil(64)],)));

/// Has that slot something of the host in it, so that no memory can have it?
pub fn is_taken(slot: usize) -> bool {
    // SAFETY: only `init` writes it, before anybody else runs.
    unsafe { (*TAKEN.0.get()).0[slot / 64] >> (slot % 64) & 1 != 0 }
}

impl Layout {
    /// To ask the host of every slot takes too long where there are many, above all under an emulator.
    fn is_taken(&self, slot: usize, known: &[usize]) -> bool {
        /// What belongs to something known lies no further from it, or is asked for later.
        const NEAR: usize = 256 << 20;
        let start = self.slots as usize + slot * SLOT_SIZE as usize;
        let end = start + SLOT_SIZE as usize;
        known.iter().any(|address| (start - NEAR..end + NEAR).contains(address))
            || self.slot_count < MEMORIES && !is_free(start, SLOT_SIZE as usize)
    }
}

/// Does nothing lie there? If the host does not let this process ask for so much at once, in parts.
fn is_free(start: usize, size: usize) -> bool {
    const LEAST: usize = 64 << 20;
    match map(start, size, 0) {
        Ok(()) => {
            // SAFETY: mapped just now, and only to see whether it can be.
            unsafe { sys::munmap(start, size) };
            true
        }
        Err(Refused::Taken) => false,
        Err(Refused::NoRoom(_)) if size <= LEAST => true,
        Err(Refused::NoRoom(_)) => is_free(start, size / 2) && is_free(start + size / 2, size / 2),
    }
}

/// Can a process of this host have memory at `address`?
fn exists(address: usize) -> bool {
    const PAGE: usize = 64 << 10;
    match map(address, PAGE, 0) {
        Ok(()) => {
            // SAFETY: mapped just now.
            unsafe { sys::munmap(address, PAGE) };
            true
        }
        Err(Refused::Taken) => !PLACED_ELSEWHERE.swap(false, Ordering::Relaxed),
        Err(Refused::NoRoom(_)) => false,
    }
}

/// Why something is not mapped.
#[derive(Debug, Clone, Copy)]
pub enum Refused {
    /// Something lies there.
    Taken,
    /// An errno.
    NoRoom(i32),
}

/// Set when the host has answered a request for an address with another one.
static PLACED_ELSEWHERE: AtomicBool = AtomicBool::new(false);

/// Map private memory there, of which nothing is used yet, if nothing lies there.
pub fn map(address: usize, size: usize, protection: usize) -> Result<(), Refused> {
    const EEXIST: isize = -17;
    let flags =
        sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | sys::MAP_NORESERVE | sys::MAP_FIXED_NOREPLACE;
    // SAFETY: NOREPLACE: nothing is taken away.
    match unsafe { sys::mmap(address, size, protection, flags, -1, 0) } {
        EEXIST => Err(Refused::Taken),
        at if at == address as isize => Ok(()),
        errno if errno < 0 => Err(Refused::NoRoom(-errno as i32)),
        // A host that does not know the flag takes the address for a wish.
        elsewhere => {
            PLACED_ELSEWHERE.store(true, Ordering::Relaxed);
            // SAFETY: mapped just now.
            unsafe { sys::munmap(elsewhere as usize, size) };
            Err(Refused::Taken)
        }
    }
}

/// The runtime's own mappings besides the stacks of tasks lie here, right below the slots, each with
/// nothing below it.
static NEXT_OWN: AtomicUsize = AtomicUsize::new(0);
const OWN_SIZE: usize = 4 << 30;

/// Below them lies the code of programs that are translated while the machine runs.
const CODE_SIZE: usize = 1 << 30;

/// Is it an address where the runtime's own mappings lie, and the holes below them?
pub fn is_own(address: usize) -> bool {
    let end = Layout::get().slots as usize;
    (end - OWN_SIZE..end).contains(&address)
}

/// Map memory of the runtime's own for good: its address, a multiple of `align`. Below it are at least
/// [`GUARD`] bytes where nothing ever lies.
pub fn map_own(size: usize, align: usize, protection: usize) -> Result<usize, i32> {
    const ENOMEM: i32 = 12;
    let end = Layout::get().slots as usize;
    loop {
        let offset = (NEXT_OWN.load(Ordering::Relaxed) + GUARD).next_multiple_of(align);
        if offset + size + GUARD > OWN_SIZE {
            return Err(ENOMEM);
        }
        let address = end - OWN_SIZE + offset;
        // All of it is mapped while one thread runs.
        NEXT_OWN.store(offset + size, Ordering::Relaxed);
        match map(address, size, protection) {
            Ok(()) => return Ok(address),
            Err(Refused::Taken) => {}
            Err(Refused::NoRoom(errno)) => return Err(errno),
        }
    }
}

// A region has holes below both stacks, and a handler of an overflow has its room in the reserve.
const _: () = {
    assert!(USER_BOTTOM < USER_TOP && USER_TOP + GUARD <= UCONTEXT_AREA);
    assert!(UCONTEXT_AREA + UCONTEXT_AREA_SIZE + GUARD == TASK_OFFSET - KERNEL_STACK);
    assert!(TASK_OFFSET + PAGE == REGION_SIZE);
    assert!(RESERVE > ROOM);
};

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
}
