//! The software TLB: host mappings of guest memory.
//!
//! Invariant: a mapping is only a cached entry of the guest's page tables. Any of them may be
//! dropped at any time; the next access faults, the kernel walks its tables and fills it again.
//! That is what bounds their number: the host allows a process so many mappings, and when the estimate
//! reaches the budget, whole memories are flushed.
//!
//! What must not happen is that a mapping stays which the kernel has flushed. The host may refuse to unmap
//! a part of a mapping, for that makes two of one; then the memory loses all its mappings, which never
//! does. If it refuses even that, the machine ends.

use crate::arch;
use crate::host::exit::{self, fatal};
use crate::host::lock::SpinLock;
use crate::host::sys;
use crate::memory::ids::{MemoryId, MemoryIds};
use crate::memory::layout::{self, Layout, MEMORIES};
use crate::memory::ram::Ram;
use crate::memory::range::{PageRange, RamPages};
use crate::memory::slot_sharing;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use linnet_abi::memory::{MEMORY_SIZE, NULL_GUARD, SLOT_SIZE};

/// Mappings that a host allows a process unless it is told otherwise (`vm.max_map_count`).
pub const HOST_DEFAULT: u32 = 65_530;

/// Host mappings that all memories together may have. The rest of the host's limit is for stacks.
static BUDGET: AtomicU32 = AtomicU32::new(of_limit(HOST_DEFAULT));

const fn of_limit(limit: u32) -> u32 {
    limit / 3 * 2
}

/// What is known of the mappings of a memory.
struct Mappings {
    /// Upper bound of their number. Grows by fills; shrinks by what `flush` found, and only there.
    count: AtomicU32,
    /// Held while all of them are dropped: of two that do it at once, each would subtract what both found.
    flush: SpinLock<()>,
}

static MAPPINGS: [Mappings; MEMORIES] =
    [const { Mappings { count: AtomicU32::new(0), flush: SpinLock::new(()) } }; MEMORIES];
static TOTAL: AtomicU32 = AtomicU32::new(0);

/// The lowest slots, which are used most, keep page tables of the host when a memory ends, for the next
/// one: at the start, where a program's data is, and at the end, where its stack is. Mappings there that
/// give no access keep them. A memory that ends alone has them; to unmap many at once saves more.
static ANCHORED: [AtomicBool; 64] = [const { AtomicBool::new(false) }; 64];
const ANCHORS: [u64; 2] = [0, MEMORY_SIZE - NULL_GUARD];

static IDS: SpinLock<MemoryIds> = SpinLock::new(MemoryIds::new());

/// Do mappings have to go from other CPUs of the host, too?
static SEVERAL_VCPUS: AtomicBool = AtomicBool::new(false);

/// Take notice of how many mappings the host allows, or of a budget, and of slots that are taken.
pub fn init(host_limit: u32, budget: Option<u32>, vcpus: u32) {
    SEVERAL_VCPUS.store(vcpus > 1, Ordering::Relaxed);
    BUDGET.store(budget.unwrap_or(of_limit(host_limit)), Ordering::Relaxed);
    if !Layout::is_small() {
        let mut ids = IDS.lock();
        (1..MEMORIES).filter(|n| layout::is_taken(*n)).for_each(|n| ids.withhold(n as u32));
    }
}

/// Host address of byte 0 of a memory. Memory n has slot n, if there are as many.
pub fn base(mm: MemoryId) -> u64 {
    let slot = if Layout::is_small() { slot_sharing::slot(mm) } else { mm.index() };
    Layout::get().slots + slot as u64 * SLOT_SIZE
}

/// Host address of a range.
pub fn host(range: PageRange) -> usize {
    (base(range.memory()) + range.address()) as usize
}

/// A new memory, if there is room. `parent` is the memory that it will be a copy of.
pub fn mm_new(parent: Option<MemoryId>) -> Option<MemoryId> {
    let mut n = IDS.lock().alloc();
    if n == 0 {
        flush_retired();
        n = IDS.lock().alloc();
    }
    if n == 0 {
        return None;
    }
    let mm = MemoryId::new(n);
    if Layout::is_small() {
        slot_sharing::assign(mm, parent);
    } else if unmap_batch() == 1 {
        anchor(mm);
    }
    Some(mm)
}

/// The memory of that number, in a machine that has none yet; `None` if it is not free.
pub fn mm_restore(n: u32) -> Option<MemoryId> {
    if !IDS.lock().take(n) {
        return None;
    }
    let mm = MemoryId::new(n);
    if Layout::is_small() {
        slot_sharing::assign(mm, None);
    } else if unmap_batch() == 1 {
        anchor(mm);
    }
    Some(mm)
}

/// So many memories that have ended are unmapped at once: each time the host interrupts all CPUs that
/// run vCPUs.
fn unmap_batch() -> u32 {
    if SEVERAL_VCPUS.load(Ordering::Relaxed) { arch::UNMAP_BATCH } else { 1 }
}

fn anchor(mm: MemoryId) {
    let Some(anchored) = ANCHORED.get(mm.index()) else { return };
    if anchored.swap(true, Ordering::SeqCst) {
        return;
    }
    let flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | sys::MAP_NORESERVE | sys::MAP_FIXED;
    for offset in ANCHORS {
        // SAFETY: in a memory's slot, where no guest memory is ever mapped. If the host refuses, all is
        // as without.
        unsafe { sys::mmap((base(mm) + offset) as usize, NULL_GUARD as usize, 0, flags, -1, 0) };
    }
}

/// Address and size of all that may be mapped of a memory, but its anchors.
fn extent(mm: MemoryId) -> (usize, usize) {
    let (start, size, guard) = (base(mm) as usize, MEMORY_SIZE as usize, NULL_GUARD as usize);
    if ANCHORED.get(mm.index()).is_some_and(|anchored| anchored.load(Ordering::SeqCst)) {
        (start + guard, size - 2 * guard)
    } else {
        (start, size)
    }
}

/// Give back a memory that the kernel cannot name any more.
pub fn mm_free(mm: MemoryId) {
    let batch = unmap_batch();
    if Layout::is_small() {
        if let Some(_owner) = slot_sharing::hold(mm) {
            flush_memory(mm);
        }
        slot_sharing::release(mm);
        IDS.lock().free(mm.number());
    } else if batch == 1 {
        flush_memory(mm);
        IDS.lock().free(mm.number());
    } else if IDS.lock().retire(mm.number()) >= batch {
        flush_retired();
    }
}

/// Unmap the memories that nobody uses any more and give their ids back.
fn flush_retired() {
    let retired = IDS.lock().take_retired();
    for run in retired.runs() {
        let size = (run.len() - 1) * SLOT_SIZE as usize + MEMORY_SIZE as usize;
        let start = Layout::get().slots + u64::from(run.start) * SLOT_SIZE;
        // Counted before: what the kernel fills now all the same is counted on.
        for mappings in run.clone().map(|n| &MAPPINGS[n as usize]) {
            let _flush = mappings.flush.lock();
            subtract(mappings, mappings.count.load(Ordering::SeqCst));
        }
        must_unmap(start as usize, size);
        run.for_each(|n| IDS.lock().free(n));
    }
}

/// Map pages of a memory to guest-physical pages. With `same`, these are what was mapped there before, if
/// anything was.
pub fn fill(range: PageRange, pages: RamPages, write: bool, same: bool) {
    let (mm, to, size) = (range.memory(), host(range), range.size());
    let prot = sys::PROT_READ | if write { sys::PROT_WRITE } else { 0 };
    let flags = sys::MAP_SHARED | sys::MAP_FIXED | sys::MAP_POPULATE;
    if size == 0 {
        return;
    }
    let Some(_owner) = slot_sharing::hold(mm) else { return };
    if TOTAL.load(Ordering::Relaxed) >= BUDGET.load(Ordering::Relaxed) {
        flush_all();
    }
    // SAFETY: the range lies in a memory's slot, where nothing but guest memory is mapped; the kernel says
    // that it is what it wants to be mapped. Fails if nothing is.
    if same && unsafe { sys::mprotect(to, size, prot) } == 0 {
        count_mappings(mm, 2);
        return;
    }
    for refusals in 0..MOST_REFUSALS {
        // SAFETY: as above, and the file range is one of guest memory.
        let r = unsafe { sys::mmap(to, size, prot, flags, Ram::get().fd, pages.offset()) };
        if r >= 0 {
            count_mappings(mm, 2);
            return;
        }
        flush_all();
        if refusals > 0 {
            let own = PageRange::behind_ram();
            unmap(host(own), own.size());
            sys::sched_yield();
        }
    }
    fatal!(exit::HOST, "the host refuses to map guest memory");
}

/// So often the host may refuse a mapping although all others were given up: other vCPUs take what becomes free.
const MOST_REFUSALS: u32 = 1000;

/// There are up to `more` mappings more than before: one inside another makes three of one. Counted
/// when they are there: a memory whose count is 0 has none. The kernel's own are never dropped, so that
/// counting them would sooner or later leave no room for others.
fn count_mappings(mm: MemoryId, more: u32) {
    if mm != MemoryId::KERNEL {
        MAPPINGS[mm.index()].count.fetch_add(more, Ordering::SeqCst);
        TOTAL.fetch_add(more, Ordering::Relaxed);
    }
}

/// For models.
#[cfg(test)]
pub fn total() -> u32 {
    TOTAL.load(Ordering::SeqCst)
}

fn subtract(mappings: &Mappings, n: u32) {
    mappings.count.fetch_sub(n, Ordering::SeqCst);
    TOTAL.fetch_sub(n, Ordering::Relaxed);
}

/// Is nothing of the memory mapped?
fn is_empty(mm: MemoryId) -> bool {
    mm != MemoryId::KERNEL && MAPPINGS[mm.index()].count.load(Ordering::SeqCst) == 0
}

/// Forget the mappings of some pages.
pub fn flush(range: PageRange) {
    let mm = range.memory();
    let Some(_owner) = slot_sharing::hold(mm) else { return };
    if range.size() != 0 && !is_empty(mm) {
        drop_range(range);
    }
}

/// Make the mappings of some pages read-only. The pages were there when the kernel looked, but the TLB may
/// have lost some; then it loses all of these.
pub fn protect(range: PageRange) {
    let mm = range.memory();
    let Some(_owner) = slot_sharing::hold(mm) else { return };
    if range.size() == 0 || is_empty(mm) {
        return;
    }
    // SAFETY: only guest memory lies there, and losing a right is never wrong.
    if unsafe { sys::mprotect(host(range), range.size(), sys::PROT_READ) } < 0 {
        drop_range(range);
    } else {
        count_mappings(mm, 2);
    }
}

/// The slot is held, if memories share it.
fn drop_range(range: PageRange) {
    let mm = range.memory();
    if unmap(host(range), range.size()) {
        // A hole in the middle of a mapping makes two of one.
        count_mappings(mm, 1);
        return;
    }
    // The host has no room for another mapping. To drop whole memories needs none.
    if mm != MemoryId::KERNEL {
        return flush_memory(mm);
    }
    flush_all();
    let dropped = if range.is_of_ram() { range } else { PageRange::behind_ram() };
    must_unmap(host(dropped), dropped.size());
}

fn unmap(start: usize, size: usize) -> bool {
    // SAFETY: all callers name a part of the slots, where only guest memory lies, and that of the kernel
    // behind its RAM; losing a mapping of it is never wrong.
    unsafe { sys::munmap(start, size) == 0 }
}

fn must_unmap(start: usize, size: usize) {
    if !unmap(start, size) {
        fatal!(exit::HOST, "the host refuses to unmap guest memory");
    }
}

/// Forget all mappings of a memory. If it shares its slot, the owner's may go with them.
pub fn flush_memory(mm: MemoryId) {
    let mappings = &MAPPINGS[mm.index()];
    if is_empty(mm) {
        return;
    }
    let _flush = mappings.flush.lock();
    let count = mappings.count.load(Ordering::SeqCst);
    if count != 0 {
        let (start, size) = extent(mm);
        must_unmap(start, size);
        // Only what was counted before: another vCPU may have filled meanwhile.
        subtract(mappings, count);
    }
}

/// Forget all mappings of programs. Slower than choosing, and as good: what is in use comes back.
pub fn flush_all() {
    MemoryId::of_all_programs().for_each(flush_memory);
}
