//! Memories that share a slot, where the host has fewer slots than the guest memories.
//!
//! A memory keeps its slot as long as it lives, because native frames hold addresses in it. But
//! what is mapped in the slot is only a TLB, of one memory at a time: its owner. Another memory
//! becomes the owner when no vCPU runs a task of the present one; the mappings go then. A task
//! that is to run while the slot belongs to another memory waits for the slot before it enters user
//! mode (`action::SLOT`), and the owner's tasks give way at a poll when their time slice is over.
//!
//! The child of a fork uses its parent's slot.

use crate::host::clock;
use crate::host::lock::{Guard, SpinLock};
use crate::memory::ids::MemoryId;
use crate::memory::layout::{self, Layout, MEMORIES};
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// How long an owner may go on while another memory waits, in nanoseconds.
const TIME_SLICE: u64 = 2_000_000;

/// A memory that waits asks again and again. One that has not for so long has gone elsewhere.
const WAITER_TIMEOUT: u64 = 20_000_000;

const MAX_SLOTS: usize = 64;

#[derive(Clone, Copy)]
struct Slot {
    /// How many memories have this slot.
    memories: u32,
    owner: Option<MemoryId>,
    /// When it became the owner.
    since: u64,
    /// How many vCPUs run its tasks.
    running: u32,
    /// Who is next, and when that last asked.
    next: Option<MemoryId>,
    asked: u64,
}

const EMPTY: Slot = Slot { memories: 0, owner: None, since: 0, running: 0, next: None, asked: 0 };

impl Slot {
    /// Must `mm` let another memory have the slot?
    fn must_leave(&self, mm: MemoryId, now: u64) -> bool {
        self.next.is_some_and(|next| next != mm)
            && now < self.asked + WAITER_TIMEOUT
            && now >= self.since + TIME_SLICE
    }
}

static SLOTS: SpinLock<[Slot; MAX_SLOTS]> = SpinLock::new([EMPTY; MAX_SLOTS]);
static SLOT_OF: [AtomicU8; MEMORIES] = [const { AtomicU8::new(0) }; MEMORIES];

/// The slot of a memory.
pub fn slot(mm: MemoryId) -> usize {
    usize::from(SLOT_OF[mm.index()].load(Ordering::Relaxed))
}

/// Give a new memory a slot: that of memory `parent`, or the one with the fewest memories.
pub fn assign(mm: MemoryId, parent: Option<MemoryId>) {
    let mut slots = SLOTS.lock();
    let slot = match parent {
        None => (1..Layout::get().slot_count)
            .filter(|n| !layout::is_taken(*n))
            .min_by_key(|n| slots[*n].memories)
            .unwrap_or(1),
        Some(parent) => slot(parent),
    };
    slots[slot].memories += 1;
    SLOT_OF[mm.index()].store(slot as u8, Ordering::Relaxed);
}

/// Take the slot from a memory whose mappings are gone.
pub fn release(mm: MemoryId) {
    let mut slots = SLOTS.lock();
    let slot = &mut slots[slot(mm)];
    slot.memories -= 1;
    if slot.owner == Some(mm) {
        slot.owner = None;
    }
}

/// What keeps a slot from changing its owner.
pub struct Owner {
    _slots: Option<Guard<'static, [Slot; MAX_SLOTS]>>,
}

/// Keep memory `mm` the owner of its slot; none if it is not, and so has no mappings.
pub fn hold(mm: MemoryId) -> Option<Owner> {
    if !Layout::is_small() || mm == MemoryId::KERNEL {
        return Some(Owner { _slots: None });
    }
    let slots = SLOTS.lock();
    (slots[slot(mm)].owner == Some(mm)).then_some(Owner { _slots: Some(slots) })
}

/// The slot that a task runs user code in, if it does; lies in the task's block.
pub struct SlotUse(AtomicU32);

impl SlotUse {
    pub const fn new() -> SlotUse {
        SlotUse(AtomicU32::new(0))
    }

    /// Number of the slot. The first one is the kernel's, and never shared.
    pub fn number(&self) -> Option<usize> {
        Some(self.0.load(Ordering::Relaxed) as usize).filter(|slot| *slot != 0)
    }
}

/// What came of the wish to enter a slot.
pub enum Entry {
    Entered,
    Wait,
    /// Wait for those that run in this slot: their time slice is over, but they may not know.
    WaitForSlice(usize),
}

/// Enter the slot of a memory, for a task that runs on this vCPU. `flush` drops the mappings of the one
/// that owned it.
pub fn enter(entered: &SlotUse, mm: MemoryId, flush: impl FnOnce(MemoryId)) -> Entry {
    if mm == MemoryId::KERNEL || entered.number().is_some() {
        return Entry::Entered;
    }
    let now = clock::host_now();
    let number = slot(mm);
    let mut slots = SLOTS.lock();
    let slot = &mut slots[number];
    let others_run = slot.owner != Some(mm) && slot.running != 0;
    if others_run || slot.must_leave(mm, now) {
        if slot.next.is_none_or(|next| next == mm) || now >= slot.asked + WAITER_TIMEOUT {
            slot.next = Some(mm);
            slot.asked = now;
        }
        let is_over = others_run && now >= slot.since + TIME_SLICE;
        return if is_over { Entry::WaitForSlice(number) } else { Entry::Wait };
    }
    if slot.next == Some(mm) {
        slot.next = None;
    }
    if slot.owner != Some(mm) {
        if let Some(owner) = slot.owner {
            flush(owner);
        }
        slot.owner = Some(mm);
        slot.since = now;
    }
    slot.running += 1;
    entered.0.store(number as u32, Ordering::Relaxed);
    Entry::Entered
}

/// The task runs no user code for now.
pub fn leave(entered: &SlotUse) {
    let slot = entered.0.swap(0, Ordering::Relaxed);
    if slot != 0 {
        SLOTS.lock()[slot as usize].running -= 1;
    }
}

/// Does another memory wait, and is the time slice of this one over?
pub fn must_leave(entered: &SlotUse, mm: MemoryId) -> bool {
    let must_leave = |slot: usize| SLOTS.lock()[slot].must_leave(mm, clock::host_now());
    entered.number().is_some_and(must_leave)
}
