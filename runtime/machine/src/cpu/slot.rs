//! The slot of the memory of the task that a vCPU runs, where memories share slots.

use super::vcpu;
use crate::memory::slot_sharing::{self, Entry};
use crate::memory::tlb;
use crate::task::Task;
use crate::task::requests::action;

/// Try to get the slot of the task's memory for the task, which runs on this vCPU.
pub fn enter(task: &Task) -> bool {
    match slot_sharing::enter(&task.slot, task.mm.get(), tlb::flush_memory) {
        Entry::Entered => true,
        Entry::Wait => false,
        Entry::WaitForSlice(slot) => {
            poke_all(slot);
            false
        }
    }
}

/// The task runs no user code for now.
pub fn leave(task: &Task) {
    slot_sharing::leave(&task.slot);
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
    if slot_sharing::must_leave(&task.slot, task.mm.get()) {
        leave(task);
        task.request(action::SLOT);
    }
}

/// Make all tasks poll that run in a slot.
fn poke_all(slot: usize) {
    for vcpu in vcpu::all() {
        if let Some(task) = vcpu.current()
            && task.slot.number() == Some(slot)
        {
            task.poke();
        }
    }
}
