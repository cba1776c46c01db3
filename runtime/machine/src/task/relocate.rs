//! What makes a copy of a task's frames those of another task.
//!
//! A copy of frames works at other addresses, for there are hardly any addresses in it, and these have known
//! places:
//!
//! - Translated code has none of the context, the memory or the stack alive across a call: it finds the context
//!   from its stack pointer, and the rest from there (the translator's pass `relocate`). What it has are the
//!   frame pointers that calls save.
//! - The runtime's own code has frame pointers, too, and finds its task from the stack after it has called user
//!   code.
//! - An activation says where interrupted code stands, and leads to the next.
//!
//! All other words are the program's and stay as they are, for a number may look like any address. An
//! exception is the code that an instruction's fault interrupted. Any register for integers may hold an
//! address there. If a handler of the fault forks and returns in the child, what looks like an address in these
//! registers and in that one frame is taken to be one.

use super::Task;
use crate::arch::{self, Activation, Frame, Interrupted};
use crate::memory::layout::{REGION_SIZE, USER_TOP};
use core::ops::Range;
use core::ptr;
use linnet_abi::memory::SLOT_SIZE;
use linnet_abi::module::Module;

/// A copy of frames that lie, or would lie, on the parent's stack, for the child's.
pub(super) struct Copy<'t> {
    parent: &'t Task,
    child: &'t Task,
    module: Option<&'static Module>,
    /// Addresses on the parent's stack.
    frames: Range<usize>,
    /// From there to the copy.
    offset: usize,
}

impl<'t> Copy<'t> {
    /// The copy at `at` of frames that begin at `from`.
    pub(super) fn new(parent: &'t Task, child: &'t Task, from: usize, at: usize) -> Self {
        Copy {
            parent,
            child,
            module: parent.module.get(),
            frames: from..parent.region() + USER_TOP,
            offset: at.wrapping_sub(from),
        }
    }

    /// Lets the addresses in the copy be those of the child. `activation` is the innermost one.
    ///
    /// # Safety
    /// The copy must be one of frames that a stub which saves all registers left on the stack, with nothing
    /// changed in it.
    pub(super) unsafe fn relocate(&self, mut activation: *const Activation) {
        // SAFETY: the stub's frame is there, and activations lie in live frames.
        unsafe {
            self.move_frame_pointers(self.frames.start + arch::SAVED_FRAME, None);
            while self.frames.contains(&activation.addr()) {
                let copy = &mut *ptr::with_exposed_provenance_mut::<Activation>(
                    self.place(activation.addr()),
                );
                let Interrupted { fp, pc, signal_frame, .. } = copy.interrupted;
                let previous = copy.previous;
                if copy.interrupted.is_fault() {
                    let frame = Frame::new(self.place(signal_frame as usize));
                    let own = self.place(frame.sp() as usize)..self.place(fp as usize);
                    self.move_likely(frame.addresses());
                    self.move_likely(own.step_by(size_of::<usize>()));
                    self.move_frame_pointers(fp as usize, Some(pc));
                    copy.interrupted.signal_frame = self.moved(signal_frame as usize) as u64;
                }
                copy.interrupted.fp = self.moved(fp as usize) as u64;
                copy.previous = ptr::with_exposed_provenance(self.moved(previous.addr()));
                activation = previous;
            }
        }
    }

    /// Where a word of the parent's stack is in the copy.
    fn place(&self, at: usize) -> usize {
        at.wrapping_add(self.offset)
    }

    /// Where the child has what the parent has there, if that is in the stack.
    fn moved(&self, at: usize) -> usize {
        if self.frames.contains(&at) {
            at.wrapping_sub(self.parent.region()).wrapping_add(self.child.region())
        } else {
            at
        }
    }

    /// Follows saved frame pointers from a frame outwards. `pc` is in the code that the frame belongs to, if
    /// that is not a stub.
    unsafe fn move_frame_pointers(&self, mut fp: usize, mut pc: Option<u64>) {
        loop {
            let is_translated = pc.is_some_and(|pc| self.is_translated(pc));
            let link = if is_translated {
                fp
            } else {
                fp.wrapping_add_signed(arch::RUNTIME_FRAME as isize)
            };
            if !self.frames.contains(&link) {
                return;
            }
            let link = ptr::with_exposed_provenance_mut::<[usize; 2]>(self.place(link));
            // SAFETY: a frame's link lies there, and frames do not end with the stack.
            unsafe {
                let [next, address] = *link;
                (*link)[0] = self.moved(next);
                if next <= fp {
                    return;
                }
                (fp, pc) = (next, Some(address as u64));
            }
        }
    }

    /// Whether that is code of the program, which has other frames than the runtime's on some ISAs.
    fn is_translated(&self, pc: u64) -> bool {
        let Some(module) = self.module else { return false };
        if arch::RUNTIME_FRAME == 0 || module.function_count == 0 {
            return false;
        }
        // SAFETY: the translator emitted that many, in the order of their addresses.
        let (first, last) = unsafe {
            (&*module.functions, &*module.functions.add(module.function_count as usize - 1))
        };
        (first.start as u64..=last.start as u64 + u64::from(last.len)).contains(&pc)
    }

    /// Takes words of the copy to be addresses that look like those of the stack or of the memory.
    unsafe fn move_likely(&self, words: impl Iterator<Item = usize>) {
        let (parent, child) = (self.parent.user_base() as usize, self.child.user_base() as usize);
        let region = self.parent.region();
        let copy = self.place(self.frames.start)..self.place(self.frames.end);
        for at in words.filter(|at| copy.contains(at)) {
            let word = ptr::with_exposed_provenance_mut::<usize>(at);
            // SAFETY: a word of the copy.
            unsafe {
                let old = *word;
                if old.wrapping_sub(region) < REGION_SIZE {
                    *word = old.wrapping_sub(region).wrapping_add(self.child.region());
                } else if old.wrapping_sub(parent) < SLOT_SIZE as usize {
                    *word = old - parent + child;
                }
            }
        }
    }
}
