//! The software TLB: host mappings of guest memory.
//!
//! Invariant: a mapping is only a cached entry of the guest's page tables. Any of them may be
//! dropped at any time; the next access faults, the kernel walks its tables and fills it again.
//! That is what bounds their number: the host allows a process about 65,530 mappings, so when the
//! estimate reaches [`BUDGET`], whole memories are flushed.

use crate::arch;
use crate::cpu::vcpu;
use crate::host::exit::{self, fatal};
use crate::host::lock::SpinLock;
use crate::host::sys;
use crate::memory::ids::MemoryIds;
use crate::memory::layout::{Layout, MEMORIES};
use crate::memory::ram::Ram;
use crate::memory::slot_sharing;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use linnet_abi::memory::{MEMORY_SIZE, NULL_GUARD, PROT_SAME, PROT_WRITE, SLOT_SIZE};

/// Host mappings that all memories together may have. The rest of the host's limit is for stacks.
const BUDGET: u32 = 44_000;

/// Upper bound of the mappings of each memory.
static MAPPINGS: [AtomicU32; MEMORIES] = [const { AtomicU32::new(0) }; MEMORIES];
static TOTAL: AtomicU32 = AtomicU32::new(0);

/// The lowest slots, which are used most, keep page tables of the host when a memory ends, for the next
/// one: at the start, where a program's data is, and at the end, where its stack is. Mappings there that
/// give no access keep them. A memory that ends alone has them; to unmap many at once saves more.
static ANCHORED: [AtomicBool; 64] = [const { AtomicBool::new(false) }; 64];
const ANCHORS: [u64; 2] = [0, MEMORY_SIZE - NULL_GUARD];

static IDS: SpinLock<MemoryIds> = SpinLock::new(MemoryIds::new());

/// Host address of byte 0 of a memory. Memory n has slot n, if there are as many.
pub fn base(mm: u32) -> u64 {
    let slot = if Layout::is_small() { slot_sharing::slot(mm) as u64 } else { u64::from(mm) };
    Layout::get().slots + slot * SLOT_SIZE
}

/// A new memory's id, or 0 if all are taken. `parent` is the memory that it will be a copy of, or
/// 0.
pub fn mm_new(parent: u32) -> u32 {
    let mut mm = IDS.lock().alloc();
    if mm == 0 {
        flush_retired();
        mm = IDS.lock().alloc();
    }
    if mm != 0 && Layout::is_small() {
        slot_sharing::assign(mm, parent);
    } else if mm != 0 && unmap_batch() == 1 {
        anchor(mm);
    }
    mm
}

/// So many memories that have ended are unmapped at once: each time the host interrupts all CPUs that
/// run vCPUs.
fn unmap_batch() -> u32 {
    if vcpu::count() == 1 { 1 } else { arch::UNMAP_BATCH }
}

fn anchor(mm: u32) {
    let Some(anchored) = ANCHORED.get(mm as usize) else { return };
    if anchored.swap(true, Ordering::SeqCst) {
        return;
    }
    let flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS | sys::MAP_NORESERVE | sys::MAP_FIXED;
    for offset in ANCHORS {
        // SAFETY: the memory is new: nothing of it is mapped. If the host refuses, all is as without.
        unsafe { sys::mmap((base(mm) + offset) as usize, NULL_GUARD as usize, 0, flags, -1, 0) };
    }
}

/// Address and size of all that may be mapped of a memory, but its anchors.
fn extent(mm: u32) -> (usize, usize) {
    let (start, size, guard) = (base(mm) as usize, MEMORY_SIZE as usize, NULL_GUARD as usize);
    if ANCHORED.get(mm as usize).is_some_and(|anchored| anchored.load(Ordering::SeqCst)) {
        (start + guard, size - 2 * guard)
    } else {
        (start, size)
    }
}

/// Give a memory back.
pub fn mm_free(mm: u32) {
    let batch = unmap_batch();
    if Layout::is_small() {
        if let Some(_owner) = slot_sharing::hold(mm) {
            flush_memory(mm);
        }
        slot_sharing::release(mm);
        IDS.lock().free(mm);
    } else if batch == 1 {
        flush_memory(mm);
        IDS.lock().free(mm);
    } else if IDS.lock().retire(mm) >= batch {
        flush_retired();
    }
}

/// Unmap the memories that nobody uses any more and give their ids back.
fn flush_retired() {
    let retired = IDS.lock().take_retired();
    for run in retired.runs() {
        let size = (run.len() - 1) * SLOT_SIZE as usize + MEMORY_SIZE as usize;
        // SAFETY: only guest memory lies there, of tasks that are gone.
        unsafe { sys::munmap(base(run.start) as usize, size) };
        for mm in run {
            let n = MAPPINGS[mm as usize].swap(0, Ordering::SeqCst);
            TOTAL.fetch_sub(n, Ordering::Relaxed);
            IDS.lock().free(mm);
        }
    }
}

/// Map `count` pages of a memory from `address` to guest-physical pages from `pfn`.
pub fn fill(mm: u32, address: u32, pfn: u32, count: u32, prot: u32) {
    let ram = Ram::get();
    let size = (count as usize) << ram.page_shift;
    let offset = u64::from(pfn) << ram.page_shift;
    if offset + size as u64 > ram.size {
        fatal!(exit::BUG, "page frame {pfn:#x} lies beyond the end of memory");
    }
    let same = prot & PROT_SAME != 0;
    let prot = sys::PROT_READ | if prot & PROT_WRITE != 0 { sys::PROT_WRITE } else { 0 };
    let flags = sys::MAP_SHARED | sys::MAP_FIXED | sys::MAP_POPULATE;
    let to = (base(mm) + u64::from(address)) as usize;
    // Code of the memory before runs into these pages, so nobody has them.
    if mm != 0 && u64::from(address) < NULL_GUARD {
        return;
    }
    let Some(_owner) = slot_sharing::hold(mm) else { return };

    if TOTAL.load(Ordering::Relaxed) > BUDGET {
        flush_all();
    }
    // SAFETY: the caller says that what is mapped there is what it wants to be mapped; fails if
    // nothing is.
    if same && unsafe { sys::mprotect(to, size, prot) } == 0 {
        count_mappings(mm, 2);
        return;
    }
    for _ in 0..2 {
        // SAFETY: the range lies in a memory's slot, where only guest memory is ever mapped, and
        // the file range inside guest memory (checked above).
        let r = unsafe { sys::mmap(to, size, prot, flags, ram.fd, offset) };
        if r >= 0 {
            count_mappings(mm, 2);
            return;
        }
        flush_all();
    }
    fatal!(exit::HOST, "the host refuses to map guest memory");
}

/// There are up to `more` mappings more than before: one inside another makes three of one. Counted
/// when they are there: a memory whose count is 0 has none. The kernel's own are never dropped, so that
/// counting them would sooner or later leave no room for others.
fn count_mappings(mm: u32, more: u32) {
    if mm == 0 {
        return;
    }
    MAPPINGS[mm as usize].fetch_add(more, Ordering::SeqCst);
    TOTAL.fetch_add(more, Ordering::Relaxed);
}

/// Forget the mappings of `count` pages from `address`.
pub fn flush(mm: u32, address: u32, count: u32) {
    let size = u64::from(count) << Ram::get().page_shift;
    let Some(_owner) = slot_sharing::hold(mm) else { return };
    if mm != 0 && size >= MEMORY_SIZE {
        flush_memory(mm);
        return;
    }
    if mm != 0 && MAPPINGS[mm as usize].load(Ordering::SeqCst) == 0 {
        return;
    }
    let start = base(mm) + u64::from(address);
    let size = size.min(MEMORY_SIZE - u64::from(address));
    // SAFETY: only guest memory lies there. Of the kernel's own memory the guest kernel flushes
    // nothing but its vmalloc area.
    unsafe { sys::munmap(start as usize, size as usize) };
    // A hole in the middle of a mapping makes two of one.
    count_mappings(mm, 1);
}

/// Make the mappings of `count` pages from `address` read-only. The pages were there when the
/// kernel looked, but the TLB may have lost some; then it loses all of these.
pub fn protect(mm: u32, address: u32, count: u32) {
    if mm != 0 && MAPPINGS[mm as usize].load(Ordering::SeqCst) == 0 {
        return;
    }
    let Some(_owner) = slot_sharing::hold(mm) else { return };
    let start = (base(mm) + u64::from(address)) as usize;
    let size = (count as usize) << Ram::get().page_shift;
    // SAFETY: only guest memory lies there, and losing a right or a mapping of it is never wrong.
    unsafe {
        if sys::mprotect(start, size, sys::PROT_READ) < 0 {
            sys::munmap(start, size);
        }
    }
    count_mappings(mm, 2);
}

/// Forget all mappings of a memory that owns its slot.
pub fn flush_memory(mm: u32) {
    let n = MAPPINGS[mm as usize].load(Ordering::SeqCst);
    if n != 0 {
        let (start, size) = extent(mm);
        // SAFETY: only guest memory lies there.
        unsafe { sys::munmap(start, size) };
        // Only what was counted before: another vCPU may have filled meanwhile.
        MAPPINGS[mm as usize].fetch_sub(n, Ordering::SeqCst);
        TOTAL.fetch_sub(n, Ordering::Relaxed);
    }
}

/// Forget all user mappings. Slower than choosing, and as good: what is in use comes back.
fn flush_all() {
    for mm in 1..MEMORIES as u32 {
        flush_memory(mm);
    }
}
