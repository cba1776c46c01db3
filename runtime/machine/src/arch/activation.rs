//! Interrupted user code, which the stubs of `entry` and the frames of host signals describe alike.

use super::registers::CalleeSaved;
use core::cell::Cell;
use core::ptr;

/// Interrupted user code.
#[repr(C)]
#[derive(Debug, Clone)]
pub struct Activation {
    pub fp: u64,
    pub pc: u64,
    pub saved: CalleeSaved,
    pub previous: *const Activation,
    /// `pc` is the instruction that was interrupted and not a return address.
    pub faulted: u64,
}

impl Activation {
    pub fn new(fp: u64, pc: u64, saved: CalleeSaved, faulted: bool) -> Self {
        Activation { fp, pc, saved, previous: ptr::null(), faulted: u64::from(faulted) }
    }

    /// No user code at all.
    pub fn bottom() -> Self {
        Activation::new(0, 0, CalleeSaved::default(), false)
    }

    pub fn push(&mut self, top: &Cell<*const Activation>) {
        self.previous = top.get();
        top.set(self);
    }

    pub fn pop(&self, top: &Cell<*const Activation>) {
        top.set(self.previous);
    }
}
