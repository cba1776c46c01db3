//! Host signal frames.

use crate::arch::activation::Interrupted;
use core::arch::asm;
use linnet_unwind::CalleeSaved;

/// A host signal frame, by the address of its `ucontext` (arch/x86/include/uapi/asm/ucontext.h):
///
/// ```text
///   uc - 8   return address of the handler   <- start of the frame
///   uc       ucontext: flags, link, stack at 16, registers from 40, fpstate pointer at 224
///   ...      siginfo
///   fpstate  64-aligned; its length is in its software-reserved bytes
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Frame(usize);

impl Frame {
    /// # Safety
    /// `uc` must be the ucontext of a live signal frame.
    pub unsafe fn new(uc: usize) -> Self {
        Frame(uc)
    }

    fn word(self, offset: usize) -> u64 {
        // SAFETY: the frame is live (promise at `new`), and all offsets used lie in a ucontext.
        unsafe { *((self.0 + offset) as *const u64) }
    }

    fn set_word(self, offset: usize, value: u64) {
        // SAFETY: as above; the frame is ours to write.
        unsafe { *((self.0 + offset) as *mut u64) = value };
    }

    pub fn address(self) -> usize {
        self.0
    }

    pub fn pc(self) -> u64 {
        self.word(168)
    }

    pub fn sp(self) -> u64 {
        self.word(160)
    }

    pub fn fp(self) -> u64 {
        self.word(120)
    }

    /// Was the faulting access a write? (bit 1 of the page fault's error code)
    pub fn is_write(self) -> bool {
        self.word(192) & 2 != 0
    }

    /// Addresses of the words that may hold host addresses: the registers for integers, and what
    /// [`Self::own_pointer`] says.
    pub fn addresses(self) -> impl Iterator<Item = usize> {
        (40..176).step_by(8).chain(self.own_pointer()).map(move |offset| self.0 + offset)
    }

    /// Where the frame points to a part of itself.
    fn own_pointer(self) -> Option<usize> {
        (self.word(224) != 0).then_some(224)
    }

    /// The interrupted code as an activation that an unwinder can pass.
    pub fn interrupted(self) -> Interrupted {
        let saved = [128, 72, 80, 88, 96].map(|offset| self.word(offset));
        Interrupted::new(self.fp(), self.pc(), CalleeSaved(saved), self.0)
    }

    fn end(self) -> usize {
        const XSAVE_MAGIC: u32 = 0x4650_5853;
        let fpstate = self.word(224) as usize;
        if fpstate == 0 {
            return self.0 + 304 + 128;
        }
        // SAFETY: the kernel put 512 bytes of FXSAVE there; bytes 464.. describe what follows.
        let (magic, size) =
            unsafe { (*((fpstate + 464) as *const u32), *((fpstate + 468) as *const u32)) };
        if magic == XSAVE_MAGIC { fpstate + size as usize } else { fpstate + 512 }
    }

    /// Copy the frame to the stack below `top` and return the copy.
    ///
    /// # Safety
    /// The memory below `top` must be a mapped stack with nothing needed there.
    pub unsafe fn move_below(self, top: usize) -> Frame {
        let start = self.0 - 8;
        let size = self.end() - start;
        // Both must have the same distance from a 64-byte line, for the sake of fpstate.
        let room = (top - size) & !63;
        let to = room - 64 + (start & 63);
        // SAFETY: the caller's promise.
        unsafe { core::ptr::copy_nonoverlapping(start as *const u8, to as *mut u8, size) };
        let copy = Frame(to + 8);
        if let Some(pointer) = self.own_pointer() {
            copy.set_word(pointer, self.word(pointer) - self.0 as u64 + copy.0 as u64);
        }
        copy
    }

    /// End of what must be kept of the stack below this frame's code.
    pub fn below(self) -> usize {
        self.0 - 8 - 64
    }

    /// Go on where the signal interrupted, with the signal stack of the thread that this now is.
    ///
    /// # Safety
    /// The frame must describe code that may run on this thread.
    pub unsafe fn resume(self, signal_stack: (usize, usize)) -> ! {
        self.set_word(16, signal_stack.0 as u64);
        self.set_word(24, 0);
        self.set_word(32, signal_stack.1 as u64);
        // SAFETY: rt_sigreturn expects the stack pointer behind the frame's return address.
        unsafe {
            asm!("mov rsp, {}", "mov eax, 15", "syscall", "ud2", in(reg) self.0, options(noreturn))
        }
    }
}
