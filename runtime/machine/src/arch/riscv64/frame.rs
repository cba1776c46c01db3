//! Host signal frames.

use crate::arch::activation::Interrupted;
use core::arch::asm;
use linnet_host::nr;
use linnet_unwind::CalleeSaved;
use linnet_unwind::arch::{FLOATS, INTEGERS};

/// A host signal frame, by the address of its `ucontext` (arch/riscv/include/uapi/asm):
///
/// ```text
///   uc - 128   siginfo                       <- start of the frame
///   uc         ucontext: flags, link, stack at 16; pc at 176, x1 to x31 behind it, f0 to f31 from 432
///   uc + 952   extensions: {magic, size, ...} each, the last one all zeros
/// ```
///
/// The thread pointer is among the registers. Nothing in a boot binary uses it, so that it may go
/// from one host thread to another.
#[derive(Debug, Clone, Copy)]
pub struct Frame(usize);

const SIGINFO: usize = 128;
const REGISTERS: usize = 176;
const FLOAT_REGISTERS: usize = 432;
const EXTENSIONS: usize = 952;

const VECTOR: u32 = 0x5346_5457;

impl Frame {
    /// # Safety
    /// `uc` must be the ucontext of a live signal frame.
    pub unsafe fn new(uc: usize) -> Self {
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

    fn register(self, n: usize) -> u64 {
        self.word(REGISTERS + 8 * n)
    }

    pub fn address(self) -> usize {
        self.0
    }

    pub fn pc(self) -> u64 {
        self.word(REGISTERS)
    }

    pub fn sp(self) -> u64 {
        self.register(2)
    }

    pub fn fp(self) -> u64 {
        self.register(8)
    }

    /// Was the faulting access a write? The frame does not say: the instruction does.
    pub fn is_write(self) -> bool {
        let pc = self.pc() as *const u16;
        // SAFETY: the instruction that was interrupted lies there; bits 0 and 1 tell its length.
        unsafe {
            let low = u32::from(*pc);
            writes(if low & 3 == 3 { low | u32::from(*pc.add(1)) << 16 } else { low })
        }
    }

    /// Addresses of the words that may hold host addresses: the registers for integers, and what
    /// [`Self::own_pointer`] says.
    pub fn addresses(self) -> impl Iterator<Item = usize> {
        (REGISTERS..FLOAT_REGISTERS)
            .step_by(8)
            .chain(self.own_pointer())
            .map(move |offset| self.0 + offset)
    }

    /// Where the frame points to a part of itself.
    fn own_pointer(self) -> Option<usize> {
        // The vector registers' contents lie behind a structure whose sixth word points to them.
        let (vector, ..) = self.extensions().find(|(_, magic, _)| *magic == VECTOR)?;
        Some(vector + 8 + 40)
    }

    /// The interrupted code as an activation that an unwinder can pass.
    pub fn interrupted(self) -> Interrupted {
        let mut saved = [0; INTEGERS.len() + FLOATS.len()];
        let (integers, floats) = saved.split_at_mut(INTEGERS.len());
        for (word, n) in integers.iter_mut().zip(INTEGERS) {
            *word = self.register(n);
        }
        for (word, n) in floats.iter_mut().zip(FLOATS) {
            *word = self.word(FLOAT_REGISTERS + 8 * n);
        }
        Interrupted::new(self.fp(), self.pc(), CalleeSaved(saved), self.0)
    }

    /// Offset, magic number and size of each extension, the end mark included.
    fn extensions(self) -> impl Iterator<Item = (usize, u32, usize)> {
        let mut next = Some(EXTENSIONS);
        core::iter::from_fn(move || {
            let offset = next?;
            let head = self.word(offset);
            let (magic, size) = (head as u32, (head >> 32) as usize);
            next = (magic != 0 && size != 0).then_some(offset + size);
            Some((offset, magic, size))
        })
    }

    /// Copy the frame to the stack below `top` and return the copy.
    ///
    /// # Safety
    /// The memory below `top` must be a mapped stack with nothing needed there.
    pub unsafe fn move_below(self, top: usize) -> Frame {
        let end = self.extensions().last().map_or(EXTENSIONS, |(offset, ..)| offset) + 8;
        let size = SIGINFO + end;
        let start = self.0 - SIGINFO;
        let to = (top - size) & !15;
        // SAFETY: the caller's promise.
        unsafe { core::ptr::copy_nonoverlapping(start as *const u8, to as *mut u8, size) };
        let copy = Frame(to + SIGINFO);
        if let Some(pointer) = copy.own_pointer() {
            copy.set_word(pointer, copy.word(pointer) - start as u64 + to as u64);
        }
        copy
    }

    /// End of what must be kept of the stack below this frame's code.
    pub fn below(self) -> usize {
        self.0 - SIGINFO
    }

    /// Go on where the signal interrupted, with the signal stack of the thread that this now is.
    ///
    /// # Safety
    /// The frame must describe code that may run on this thread.
    pub unsafe fn resume(self, signal_stack: (usize, usize)) -> ! {
        self.set_word(16, signal_stack.0 as u64);
        self.set_word(24, 0);
        self.set_word(32, signal_stack.1 as u64);
        // SAFETY: rt_sigreturn expects the stack pointer at the start of the frame.
        unsafe {
            asm!(
                "mv sp, {start}",
                "li a7, {nr}",
                "ecall",
                "unimp",
                start = in(reg) self.0 - SIGINFO,
                nr = const nr::RT_SIGRETURN,
                options(noreturn),
            )
        }
    }
}

/// Does a load or store instruction write? (RISC-V unprivileged ISA, "Instruction Set Listings")
fn writes(instruction: u32) -> bool {
    const STORE: u32 = 0x23;
    const STORE_FP: u32 = 0x27;
    const AMO: u32 = 0x2f;
    const LOAD_RESERVED: u32 = 2;
    match instruction & 3 {
        // c.fsd, c.sw, c.sd and the same relative to sp.
        0 | 2 => instruction >> 13 & 7 >= 5,
        _ => match instruction & 0x7f {
            STORE | STORE_FP => true,
            AMO => instruction >> 27 != LOAD_RESERVED,
            _ => false,
        },
    }
}
