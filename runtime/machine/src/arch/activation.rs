//! Interrupted user code, which the stubs of `entry` and the frames of host signals describe alike.

use core::cell::Cell;
use core::ptr;
use linnet_unwind::CalleeSaved;

/// Interrupted user code.
#[repr(C)]
#[derive(Debug, Clone)]
pub struct Activation {
    pub fp: u64,
    pub pc: u64,
    pub saved: CalleeSaved,
    pub previous: *const Activation,
    /// Address of the host's signal frame if `pc` is an instruction that was interrupted; 0 if it is a return
    /// address.
    pub signal_frame: u64,
}

impl Activation {
    pub fn new(fp: u64, pc: u64, saved: CalleeSaved, signal_frame: usize) -> Self {
        Activation { fp, pc, saved, previous: ptr::null(), signal_frame: signal_frame as u64 }
    }

    pub fn is_fault(&self) -> bool {
        self.signal_frame != 0
    }

    /// No user code at all.
    pub fn bottom() -> Self {
        Activation::new(0, 0, CalleeSaved::default(), 0)
    }

    /// The next one that is of other code: there are several of the same while a task waits for its slot.
    pub fn outer(&self) -> *const Activation {
        let mut previous = self.previous;
        // SAFETY: activations lie in live frames of this stack.
        while let Some(next) = unsafe { previous.as_ref() }
            && (next.fp, next.pc) == (self.fp, self.pc)
        {
            previous = next.previous;
        }
        previous
    }

    pub fn push(&mut self, top: &Cell<*const Activation>) {
        self.previous = top.get();
        top.set(self);
    }

    pub fn pop(&self, top: &Cell<*const Activation>) {
        top.set(self.previous);
    }
}
