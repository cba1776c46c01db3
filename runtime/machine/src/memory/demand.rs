//! Memory of a snapshot that is loaded when it is first used.
//!
//! A block that holds something gives no access until it is loaded. Whoever touches it faults, and goes on when
//! it is there ([`load`]). The host does not fault for a process but gives an error, so that what it is to read
//! or write, or to map elsewhere, is loaded before ([`need`]).

use crate::host::exit::{self, fatal};
use crate::host::lock::SpinLock;
use crate::host::sys;
use crate::memory::layout::{self, Layout};
use crate::memory::ram::Ram;
use core::ops::Range;
use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};
use linnet_snapshot::{RUN, Snapshot};

/// Memory is loaded in so many bytes. No run lies in two blocks.
const BLOCK: u64 = RUN as u64;

/// So many blocks are loaded each for itself. Then all others are: each takes up to two more mappings of the
/// host's, and who uses so much will use more.
const MOST_ALONE: usize = 512;

mod state {
    /// Nobody knows anything of the block here.
    pub const UNKNOWN: u8 = 0;
    /// It gives no access.
    pub const AWAY: u8 = 1;
    /// It was loaded, and gives all access.
    pub const HERE: u8 = 2;
}

/// The state of each block of guest memory; null if none was ever away.
static STATES: AtomicPtr<AtomicU8> = AtomicPtr::new(core::ptr::null_mut());

/// Blocks that are away.
static LEFT: AtomicUsize = AtomicUsize::new(0);

/// Where the runs of a block are.
#[derive(Debug, Clone, Copy)]
struct Block {
    first: u32,
    count: u32,
    stored: usize,
}

struct Demand {
    snapshot: Snapshot<'static>,
    stored: &'static [u8],
    blocks: &'static mut [Block],
    /// Address of a block that is being loaded.
    window: usize,
    /// Size of a page of the host.
    page: usize,
    alone: usize,
}

static DEMAND: SpinLock<Option<Demand>> = SpinLock::new(None);

fn block_count() -> usize {
    Ram::get().size.div_ceil(BLOCK) as usize
}

fn state_of(block: usize) -> Option<&'static AtomicU8> {
    let states = STATES.load(Ordering::Acquire);
    // SAFETY: null, or an array with one for each block, for good.
    (!states.is_null() && block < block_count()).then(|| unsafe { &*states.add(block) })
}

/// The blocks that a part of guest memory touches.
fn blocks_of(part: Range<u64>) -> Range<usize> {
    let end = part.end.min(Ram::get().size).div_ceil(BLOCK);
    (part.start / BLOCK) as usize..end as usize
}

/// Load the memory of a snapshot when it is used, which is stored so. Whether the host has room for that. While one
/// thread runs.
pub fn init(snapshot: Snapshot<'static>, stored: &'static [u8], page: usize) -> bool {
    let own = |size: usize| {
        let size = size.next_multiple_of(BLOCK as usize);
        layout::map_own(size, BLOCK as usize, sys::PROT_READ | sys::PROT_WRITE).ok()
    };
    let count = block_count();
    let (Some(states), Some(blocks), Some(window)) =
        (own(count), own(count * size_of::<Block>()), own(BLOCK as usize))
    else {
        return false;
    };
    // SAFETY: mapped just now, for good, and nobody else knows of it; zeros are blocks without runs.
    let blocks = unsafe { core::slice::from_raw_parts_mut(blocks as *mut Block, count) };
    STATES.store(states as *mut AtomicU8, Ordering::Release);
    let mut at = 0;
    for (n, run) in (0..).zip(snapshot.runs()) {
        let block = &mut blocks[(run.offset / BLOCK) as usize];
        if block.count == 0 {
            *block = Block { first: n, count: 0, stored: at };
            LEFT.fetch_add(1, Ordering::Relaxed);
        }
        block.count += 1;
        at += run.stored;
    }
    let mut rest = 0..count;
    let is_used = |n: &usize| blocks[*n].count != 0;
    while let Some(start) = rest.find(is_used) {
        let end = rest.find(|n| !is_used(n)).unwrap_or(count);
        // SAFETY: guest memory, which nobody uses yet.
        if unsafe { sys::mprotect(place(start), place(end) - place(start), 0) } < 0 {
            // Without the rest there is nothing to be loaded: all of it is zero, and would stay so.
            fatal!(exit::HOST, "the host has no room for the mappings of the snapshot");
        }
        (start..end).filter_map(state_of).for_each(|s| s.store(state::AWAY, Ordering::Relaxed));
    }
    *DEMAND.lock() = Some(Demand { snapshot, stored, blocks, window, page, alone: 0 });
    true
}

/// Is memory loaded so?
pub fn is_used() -> bool {
    !STATES.load(Ordering::Acquire).is_null()
}

fn place(block: usize) -> usize {
    Layout::get().slots as usize + block * BLOCK as usize
}

/// Somebody cannot access what is at a host address. Whether that was because it was not loaded: it is now.
pub fn load(address: usize) -> bool {
    let Some(offset) = (address as u64).checked_sub(Layout::get().slots) else { return false };
    let block = (offset / BLOCK) as usize;
    let Some(state) = state_of(block) else { return false };
    match state.load(Ordering::Acquire) {
        state::UNKNOWN => false,
        // Another vCPU has been faster.
        state::HERE => true,
        _ => {
            load_block(block, true);
            true
        }
    }
}

/// A part of guest memory is about to be used in a way that does not fault.
pub fn need(part: Range<u64>) {
    if LEFT.load(Ordering::Acquire) == 0 {
        return;
    }
    let is_away =
        |n: &usize| state_of(*n).is_some_and(|s| s.load(Ordering::Acquire) == state::AWAY);
    blocks_of(part).filter(is_away).for_each(|block| load_block(block, false));
}

/// All of guest memory is about to be used so.
pub fn need_all() {
    need(0..Ram::get().size);
}

/// The kernel is about to say itself what access there is to a part of its memory.
pub fn forget(part: Range<u64>) {
    need(part.clone());
    for state in blocks_of(part).filter_map(state_of) {
        state.store(state::UNKNOWN, Ordering::Release);
    }
}

/// `counts` if its mapping may come to lie alone.
fn load_block(block: usize, counts: bool) {
    let mut demand = DEMAND.lock();
    let Some(demand) = &mut *demand else { return };
    demand.load(block);
    demand.alone += usize::from(counts);
    if demand.alone == MOST_ALONE {
        (0..block_count()).for_each(|block| demand.load(block));
    }
}

impl Demand {
    fn load(&mut self, n: usize) {
        let Some(state) = state_of(n) else { return };
        if state.load(Ordering::Relaxed) != state::AWAY {
            return;
        }
        let Block { first, count, mut stored } = self.blocks[n];
        let runs = (first..first + count).map(|n| self.snapshot.run(n as usize));
        let (mut start, mut end) = (BLOCK as usize, 0);
        for run in runs.clone().flatten() {
            let at = (run.offset % BLOCK) as usize;
            start = start.min(at);
            end = end.max(at + run.size);
        }
        let (start, end) = (start & !(self.page - 1), end.next_multiple_of(self.page));
        let all = sys::PROT_READ | sys::PROT_WRITE;
        map(self.window + start, n as u64 * BLOCK + start as u64, end - start, all);
        // SAFETY: mapped just now, and nobody else has access to these pages yet.
        let window = unsafe {
            core::slice::from_raw_parts_mut((self.window + start) as *mut u8, end - start)
        };
        for run in runs.flatten() {
            let at = (run.offset % BLOCK) as usize - start;
            let bytes = &self.stored[stored..stored + run.stored];
            if run.unpack(bytes, &mut window[at..at + run.size]).is_err() {
                fatal!(exit::SNAPSHOT, "the snapshot is damaged");
            }
            stored += run.stored;
        }
        // SAFETY: guest memory, of which nobody has lost anything.
        if unsafe { sys::mprotect(place(n), BLOCK as usize, all) } < 0 {
            fatal!(exit::HOST, "the host refuses to map guest memory");
        }
        // SAFETY: as above. An old host maps it when it is used.
        unsafe { sys::madvise(place(n) + start, end - start, sys::MADV_POPULATE_WRITE) };
        state.store(state::HERE, Ordering::Release);
        LEFT.fetch_sub(1, Ordering::Release);
    }
}

/// Map a part of guest memory.
fn map(to: usize, offset: u64, size: usize, protection: usize) {
    let flags = sys::MAP_SHARED | sys::MAP_FIXED | sys::MAP_POPULATE;
    // SAFETY: all callers name a place where nothing but guest memory lies.
    if unsafe { sys::mmap(to, size, protection, flags, Ram::get().fd, offset) } < 0 {
        fatal!(exit::HOST, "the host refuses to map guest memory");
    }
}
