//! Which task a vCPU runs.

use super::slot;
use super::vcpu::{self, Vcpu};
use crate::memory::layout::Layout;
use crate::task::Task;
use crate::task::registry::{self, Suspended};

/// The vCPU that runs a task.
pub fn vcpu_of(task: &Task) -> Option<&'static Vcpu> {
    task.vcpu.get().and_then(vcpu::get)
}

/// Switch this vCPU from `previous` to `next`; returns when `previous` runs again.
pub fn switch(previous: &'static Task, next: Suspended) {
    let vcpu = vcpu_of(previous).expect("a running task has a vCPU");
    let (next, sp) = next.take();
    if Layout::is_small() {
        slot::switch(previous, next);
    }
    next.vcpu.set(Some(vcpu.number));
    next.previous.set(previous.id.get());
    vcpu.set_current(next);
    // SAFETY: `next` is this vCPU's now, and its saved stack pointer is used once.
    unsafe { registry::switch_stack(previous, sp) };
    // Maybe on another vCPU now, whose interrupts this task must poll for.
    poll_for_interrupts(previous);
}

/// Make a task, which is about to run user code, poll if its vCPU has an interrupt for it.
pub fn poll_for_interrupts(task: &Task) {
    if let Some(vcpu) = vcpu_of(task) {
        vcpu.poke_if_pending(task);
    }
}
