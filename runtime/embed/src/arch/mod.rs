//! What differs between instruction sets: entering translated code and leaving it in mid-course.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub(crate) use aarch64::*;
#[cfg(target_arch = "riscv64")]
pub(crate) use riscv64::*;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::*;

/// A host signal frame, by the address of its `ucontext`.
#[derive(Clone, Copy)]
pub(crate) struct Frame(usize);

impl Frame {
    /// # Safety
    /// `uc` must be the ucontext of a live signal frame.
    pub(crate) unsafe fn new(uc: usize) -> Frame {
        Frame(uc)
    }

    fn word(self, offset: usize) -> u64 {
        // SAFETY: the frame is live (promise at `new`), and all offsets used lie in it.
        unsafe { *((self.0 + offset) as *const u64) }
    }

    fn set_word(self, offset: usize, value: u64) {
        // SAFETY: as above; the frame is ours to write.
        unsafe { *((self.0 + offset) as *mut u64) = value };
    }

    pub(crate) fn pc(self) -> u64 {
        self.word(offset::PC)
    }

    pub(crate) fn sp(self) -> u64 {
        self.word(offset::SP)
    }

    pub(crate) fn fp(self) -> u64 {
        self.word(offset::FP)
    }

    /// Makes the interrupted thread go on as if it had called `leave(sp, status)`.
    pub(crate) fn leave(self, sp: u64, status: u64) {
        self.set_word(offset::ARGUMENT, sp);
        self.set_word(offset::ARGUMENT + offset::NEXT_ARGUMENT, status);
        self.set_word(offset::PC, leave as *const () as u64);
    }
}
