//! Memories that use one slot in turn, where the host has fewer slots than the guest memories.
//!
//! A memory keeps its slot as long as it lives, because native frames hold addresses in it. But
//! what is mapped in the slot is only a TLB, of one memory at a time: its owner. Another memory
//! becomes the owner when no vCPU runs a task of the present one; the mappings go then. A task
//! that is to run while the slot belongs to another memory waits for its turn before it enters user
//! mode ([`action::SLOT`]), and the owner's tasks give way at a poll when they have had theirs.
//!
//! The child of a fork uses its parent's slot, and so needs no address in its frames changed that
//! points into memory: with so few addresses, a number could look like one.

use crate::lock::{Guard, Lock};
use crate::space::{MEMORIES, Space};
use crate::task::{Task, action};
use crate::{clock, tlb, vcpu};
use core::sync::atomic::{AtomicU8, Ordering};

/// How long an owner may go on while another memory waits, in nanoseconds.
const TURN: u64 = 2_000_000;

/// A memory that waits asks again and again. One that has not for so long has gone elsewhere.
const PATIENCE: u64 = 20_000_000;

const MOST_SLOTS: usize = 64;

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
    /// Must `mm` let another memory have its turn?
    fn is_over_for(&self, mm: u32, now: u64) -> bool {
        self.next != 0 && self.next != mm && now < self.asked + PATIENCE && now >= self.since + TURN
    }
}

static SLOTS: Lock<[Slot; MOST_SLOTS]> = Lock::new([EMPTY; MOST_SLOTS]);
static SLOT_OF: [AtomicU8; MEMORIES] = [const { AtomicU8::new(0) }; MEMORIES];

/// The slot of a memory.
pub fn slot(mm: u32) -> usize {
    usize::from(SLOT_OF[mm as usize].load(Ordering::Relaxed))
}

/// Give a new memory a slot: that of memory `parent`, or (0) the one with the fewest memories.
pub fn assign(mm: u32, parent: u32) {
    let mut slots = SLOTS.lock();
    let slot = match parent {
        0 => (1..Space::get().slot_count).min_by_key(|n| slots[*n].memories).unwrap_or(1),
        parent => slot(parent),
    };
    slots[slot].memories += 1;
    SLOT_OF[mm as usize].store(slot as u8, Ordering::Relaxed);
}

/// Forget a memory whose mappings are gone.
pub fn forget(mm: u32) {
    let mut slots = SLOTS.lock();
    let slot = &mut slots[slot(mm)];
    slot.memories -= 1;
    if slot.owner == mm {
        slot.owner = 0;
    }
}

/// What keeps a slot from changing its owner.
pub struct Turn {
    _slots: Option<Guard<'static, [Slot; MOST_SLOTS]>>,
}

/// Keep memory `mm` the owner of its slot; none if it is not, and so has no mappings.
pub fn keep(mm: u32) -> Option<Turn> {
    if !Space::is_small() || mm == 0 {
        return Some(Turn { _slots: None });
    }
    let slots = SLOTS.lock();
    (slots[slot(mm)].owner == mm).then_some(Turn { _slots: Some(slots) })
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
    if others_run || slot.is_over_for(mm, now) {
        if slot.next == 0 || slot.next == mm || now >= slot.asked + PATIENCE {
            slot.next = mm;
            slot.asked = now;
        }
        let over = others_run && now >= slot.since + TURN;
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

/// The task polls: end its turn if another memory waits and it was long enough.
pub fn poll(task: &Task) {
    let slot = task.slot.load(Ordering::Relaxed);
    if slot != 0 && SLOTS.lock()[slot as usize].is_over_for(task.mm.get(), clock::host_now()) {
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
