//! Memories that share a slot, where the host has fewer slots than the guest memories.
//!
//! A memory keeps its slot as long as it lives, because native frames hold addresses in it. But
//! what is mapped in the slot is only a TLB, of one memory at a time: its owner. Another memory
//! becomes the owner when no vCPU runs a task of the present one; the mappings go then. A task
//! that is to run while the slot belongs to another memory waits for the slot before it enters user
//! mode ([`action::SLOT`]), and the owner's tasks give way at a poll when their time slice is over.
//!
//! The child of a fork uses its parent's slot.

use crate::cpu::vcpu;
use crate::host::clock;
use crate::host::lock::{Guard, SpinLock};
use crate::memory::layout::{Layout, MEMORIES};
use crate::memory::tlb;
use crate::task::{Task, action};
use core::sync::atomic::{AtomicU8, Ordering};

/// How long an owner may go on while another memory waits, in nanoseconds.
const TIME_SLICE: u64 = 2_000_000;

/// A memory that waits asks again and again. One that has not for so long has gone elsewhere.
const WAITER_TIMEOUT: u64 = 20_000_000;

const MAX_SLOTS: usize = 64;

#[derive(Clone, Copy)]
struct Slot {
    /// How many memories have this slot.
    memories: u32,
    owner: u32,
    /// When it became the owner.
    since: u64,
    /// How many vCPUs run its tasks.
    running: u32,
    /// Who is next, or 0, and when that last asked.
    next: u32,
    asked: u64,
}

const EMPTY: Slot = Slot { memories: 0, owner: 0, since: 0, running: 0, next: 0, asked: 0 };

impl Slot {
    /// Must `mm` let another memory have the slot?
    fn must_leave(&self, mm: u32, now: u64) -> bool {
        self.next != 0
            && self.next != mm
            && now < self.asked + WAITER_TIMEOUT
            && now >= self.since + TIME_SLICE
    }
}

static SLOTS: SpinLock<[Slot; MAX_SLOTS]> = SpinLock::new([EMPTY; MAX_SLOTS]);
static SLOT_OF: [AtomicU8; MEMORIES] = [const { AtomicU8::new(0) }; MEMORIES];

/// The slot of a memory.
pub fn slot(mm: u32) -> usize {
    usize::from(SLOT_OF[mm as usize].load(Ordering::Relaxed))
}

/// Give a new memory a slot: that of memory `parent`, or (0) the one with the fewest memories.
pub fn assign(mm: u32, parent: u32) {
    let mut slots = SLOTS.lock();
    let slot = match parent {
        0 => (1..Layout::get().slot_count).min_by_key(|n| slots[*n].memories).unwrap_or(1),
        parent => slot(parent),
    };
    slots[slot].memories += 1;
    SLOT_OF[mm as usize].store(slot as u8, Ordering::Relaxed);
}

/// Take the slot from a memory whose mappings are gone.
pub fn release(mm: u32) {
    let mut slots = SLOTS.lock();
    let slot = &mut slots[slot(mm)];
    slot.memories -= 1;
    if slot.owner == mm {
        slot.owner = 0;
    }
}

/// What keeps a slot from changing its owner.
pub struct Owner {
    _slots: Option<Guard<'static, [Slot; MAX_SLOTS]>>,
}

/// Keep memory `mm` the owner of its slot; none if it is not, and so has no mappings.
pub fn hold(mm: u32) -> Option<Owner> {
    if !Layout::is_small() || mm == 0 {
        return Some(Owner { _slots: None });
    }
    let slots = SLOTS.lock();
    (slots[slot(mm)].owner == mm).then_some(Owner { _slots: Some(slots) })
}

/// Try to get the slot of the task's memory for the task, which runs on this vCPU.
pub fn enter(task: &Task) -> bool {
    let mm = task.mm.get();
    if mm == 0 || task.slot.load(Ordering::Relaxed) != 0 {
        return true;
    }
    let now = clock::host_now();
    let number = slot(mm);
    let mut slots = SLOTS.lock();
    let slot = &mut slots[number];
    let others_run = slot.owner != mm && slot.running != 0;
    if others_run || slot.must_leave(mm, now) {
        if slot.next == 0 || slot.next == mm || now >= slot.asked + WAITER_TIMEOUT {
            slot.next = mm;
            slot.asked = now;
        }
        let over = others_run && now >= slot.since + TIME_SLICE;
        drop(slots);
        if over {
            poke_all(number);
        }
        return false;
    }
    if slot.next == mm {
        slot.next = 0;
    }
    if slot.owner != mm {
        if slot.owner != 0 {
            tlb::flush_memory(slot.owner);
        }
        slot.owner = mm;
        slot.since = now;
    }
    slot.running += 1;
    task.slot.store(number as u32, Ordering::Relaxed);
    true
}

/// The task runs no user code for now.
pub fn leave(task: &Task) {
    let slot = task.slot.swap(0, Ordering::Relaxed);
    if slot != 0 {
        SLOTS.lock()[slot as usize].running -= 1;
    }
}

/// This vCPU changes tasks.
pub fn switch(previous: &Task, next: &Task) {
    leave(previous);
    if !enter(next) {
        next.request(action::SLOT);
    }
}

/// The task polls: leave the slot if another memory waits and the time slice is over.
pub fn poll(task: &Task) {
    let slot = task.slot.load(Ordering::Relaxed);
    if slot != 0 && SLOTS.lock()[slot as usize].must_leave(task.mm.get(), clock::host_now()) {
        leave(task);
        task.request(action::SLOT);
    }
}

/// Make all tasks poll that run in a slot.
fn poke_all(slot: usize) {
    for vcpu in vcpu::all() {
        if let Some(task) = vcpu.current()
            && task.slot.load(Ordering::Relaxed) as usize == slot
        {
            task.poke();
        }
    }
}
