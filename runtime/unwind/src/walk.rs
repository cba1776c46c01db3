//! From frame to frame.

use crate::arch::{self, CalleeSaved};
use crate::tables::Place;

/// Where a stack of translated code stands: the frame and the return address of a call, and the registers
/// that its callees preserve. Assembly knows the layout.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Position {
    pub fp: u64,
    pub pc: u64,
    pub saved: CalleeSaved,
}

/// Frame pointer and return address of the caller of a frame.
///
/// # Safety
/// `fp` must be the frame pointer of a live frame of translated code.
#[must_use]
pub unsafe fn link(fp: u64) -> (u64, u64) {
    // SAFETY: the caller's promise; every frame begins with these two, on all ISAs.
    unsafe { (*(fp as *const u64), *((fp + 8) as *const u64)) }
}

impl Position {
    /// Goes on to the caller of the frame, whose code is that of `place`.
    ///
    /// # Safety
    /// The frame must be live, and one of that code.
    pub unsafe fn step(&mut self, place: &Place<'_>) {
        for register in place.saved() {
            let at = self.fp.wrapping_add_signed(i64::from(register.fp_offset));
            // SAFETY: the prologue of this live frame saved it there.
            self.saved.set(register.register, unsafe { *(at as *const u64) });
        }
        // SAFETY: the caller's promise.
        (self.fp, self.pc) = unsafe { link(self.fp) };
    }
}

/// Where an exception is caught.
#[derive(Debug, Clone, Copy)]
pub struct Landing {
    pub pad: u64,
    pub sp: u64,
    pub fp: u64,
    pub saved: CalleeSaved,
}

impl Landing {
    /// Goes there, with `payload` in the register of an exception's first word.
    ///
    /// # Safety
    /// The frame must be live, on the stack that this runs on, and nothing below it be needed.
    pub unsafe fn enter(&self, payload: u64) -> ! {
        // SAFETY: the caller's promise; the module's tables say that this frame continues there.
        unsafe { arch::enter_handler(self.pad, self.sp, self.fp, &raw const self.saved, payload) }
    }
}

/// A walk outwards.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    pub position: Position,
    /// Whether `position.pc` is a return address, and not an instruction that was interrupted.
    pub is_return: bool,
}

impl Walk {
    /// From a call.
    #[must_use]
    pub fn from_call(position: Position) -> Walk {
        Walk { position, is_return: true }
    }

    /// Walks to the first frame that takes an exception of `tag`. None: it has come to code that `find`
    /// does not know, and stands there.
    ///
    /// # Safety
    /// The frames from the position on must be live, up to one of code that `find` does not know.
    pub unsafe fn to_handler<'m>(
        &mut self,
        tag: u32,
        find: impl Fn(u64, bool) -> Option<Place<'m>>,
    ) -> Option<Landing> {
        loop {
            let place = find(self.position.pc, self.is_return)?;
            if let Some((frame_size, pad)) = place.handler(tag) {
                let Position { fp, saved, .. } = self.position;
                return Some(Landing { pad, sp: fp - u64::from(frame_size), fp, saved });
            }
            // SAFETY: the caller's promise.
            unsafe { self.position.step(&place) };
            self.is_return = true;
        }
    }
}
