//! Interrupted user code, which the stubs of `entry` and the frames of host signals describe alike.

use super::head::ChildRequest;
use core::cell::Cell;
use core::ptr;
use linnet_unwind::{CalleeSaved, Position};

/// Where user code was interrupted. Assembly knows the layout.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Interrupted {
    pub fp: u64,
    pub pc: u64,
    pub saved: CalleeSaved,
    /// Address of the host's signal frame if `pc` is an instruction that was interrupted; 0 if it is a return
    /// address.
    pub signal_frame: u64,
}

impl Interrupted {
    pub fn new(fp: u64, pc: u64, saved: CalleeSaved, signal_frame: usize) -> Self {
        Interrupted { fp, pc, saved, signal_frame: signal_frame as u64 }
    }

    /// At a call.
    pub fn at_call(&Position { fp, pc, saved }: &Position) -> Self {
        Interrupted::new(fp, pc, saved, 0)
    }

    /// No user code at all.
    pub fn bottom() -> Self {
        Interrupted::new(0, 0, CalleeSaved::default(), 0)
    }

    pub fn is_fault(&self) -> bool {
        self.signal_frame != 0
    }
}

/// What is needed when a signal's handler has returned to the code that it interrupted.
#[derive(Debug, Clone, Copy)]
pub struct Handler {
    /// Guest address of the handler's `ucontext`.
    pub ucontext: u32,
    /// The shadow stack pointer of the interrupted code.
    pub sp: u64,
    /// What the interrupted call gives to a child.
    pub child: ChildRequest,
}

/// Interrupted user code with something on top of it, in a list.
#[derive(Debug, Clone)]
pub struct Activation {
    pub interrupted: Interrupted,
    pub previous: *const Activation,
    /// The signal's handler that runs on top of it, or will have run.
    pub handler: Option<Handler>,
}

impl Activation {
    pub fn new(interrupted: Interrupted) -> Self {
        Activation { interrupted, previous: ptr::null(), handler: None }
    }

    /// The next one that is of other code: there are several of the same while a task waits for its slot.
    pub fn outer(&self) -> *const Activation {
        let mut previous = self.previous;
        let Interrupted { fp, pc, .. } = self.interrupted;
        // SAFETY: activations lie in live frames of this stack.
        while let Some(next) = unsafe { previous.as_ref() }
            && (next.interrupted.fp, next.interrupted.pc) == (fp, pc)
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
