//! Host signal frames.

use crate::arch::activation::Interrupted;
use core::arch::asm;
use linnet_host::nr;
use linnet_unwind::CalleeSaved;

/// A host signal frame, by the address of its `ucontext` (arch/arm64/include/uapi/asm):
///
/// ```text
///   uc - 128   siginfo                       <- start of the frame
///   uc         ucontext: flags, link, stack at 16; x0 to x30 from 184, sp at 432, pc at 440
///   uc + 464   records of {magic, size, ...}, the last one all zeros
///   behind     what an "extra" record points to, if there is one: it has room for large vectors
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Frame(usize);

const SIGINFO: usize = 128;
const REGISTERS: usize = 184;
const RECORDS: usize = 464;
/// The host expects so much of a frame to be mapped, used or not.
const SIZE: usize = SIGINFO + RECORDS + 4096;

const ESR: u32 = 0x4553_5201;
const EXTRA: u32 = 0x4558_5401;

/// One record of a frame.
#[derive(Debug, Clone, Copy)]
struct Record {
    /// From the ucontext.
    offset: usize,
    magic: u32,
    size: usize,
}

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
        self.word(440)
    }

    pub fn sp(self) -> u64 {
        self.word(432)
    }

    pub fn fp(self) -> u64 {
        self.register(29)
    }

    /// The records, the last one with magic 0 included.
    fn records(self) -> impl Iterator<Item = Record> {
        let mut next = Some(RECORDS);
        core::iter::from_fn(move || {
            let offset = next?;
            let head = self.word(offset);
            let record = Record { offset, magic: head as u32, size: (head >> 32) as usize };
            next = (record.magic != 0 && record.size != 0).then_some(offset + record.size);
            Some(record)
        })
    }

    fn record(self, magic: u32) -> Option<Record> {
        self.records().find(|record| record.magic == magic)
    }

    /// Was the faulting access a write?
    pub fn is_write(self) -> bool {
        const WRITE_NOT_READ: u64 = 1 << 6;
        match self.record(ESR) {
            Some(record) => self.word(record.offset + 8) & WRITE_NOT_READ != 0,
            // An emulator may leave the record out.
            // SAFETY: the instruction that was interrupted lies there.
            None => writes(unsafe { *(self.pc() as *const u32) }),
        }
    }

    /// Addresses of the words that may hold host addresses: the registers for integers, and what
    /// [`Self::own_pointer`] says.
    pub fn addresses(self) -> impl Iterator<Item = usize> {
        (REGISTERS..RECORDS - 24)
            .step_by(8)
            .chain(self.own_pointer())
            .map(move |offset| self.0 + offset)
    }

    /// Where the frame points to a part of itself.
    fn own_pointer(self) -> Option<usize> {
        self.record(EXTRA).map(|extra| extra.offset + 8)
    }

    /// The interrupted code as an activation that an unwinder can pass.
    pub fn interrupted(self) -> Interrupted {
        const FPSIMD: u32 = 0x4650_8001;
        let mut saved = [0; 18];
        for (n, word) in saved[..10].iter_mut().enumerate() {
            *word = self.register(19 + n);
        }
        if let Some(record) = self.record(FPSIMD) {
            // {magic, size, fpsr, fpcr, v0 to v31}
            for (n, word) in saved[10..].iter_mut().enumerate() {
                *word = self.word(record.offset + 16 + 16 * (8 + n));
            }
        }
        Interrupted::new(self.fp(), self.pc(), CalleeSaved(saved), self.0)
    }

    fn end(self) -> usize {
        if let Some(extra) = self.record(EXTRA) {
            let (at, size) = (self.word(extra.offset + 8), self.word(extra.offset + 16) as u32);
            return at as usize + size as usize;
        }
        self.0 + self.records().last().map_or(RECORDS, |record| record.offset) + 16
    }

    /// Copy the frame to the stack below `top` and return the copy.
    ///
    /// # Safety
    /// The memory below `top` must be a mapped stack with nothing needed there.
    pub unsafe fn move_below(self, top: usize) -> Frame {
        let start = self.0 - SIGINFO;
        let size = self.end() - start;
        let to = (top - size.max(SIZE)) & !15;
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
                "mov sp, {start}",
                "mov x8, {nr}",
                "svc #0",
                "udf #0",
                start = in(reg) self.0 - SIGINFO,
                nr = const nr::RT_SIGRETURN,
                options(noreturn),
            )
        }
    }
}

/// Does a load or store instruction write? (Arm ARM, C4.1: "Loads and Stores")
fn writes(instruction: u32) -> bool {
    const VECTOR: u32 = 1 << 26;
    let load = instruction & (1 << 22) != 0;
    match instruction >> 28 & 3 {
        // Exclusives and ordered accesses, structures of vectors; pairs.
        0 | 2 => !load,
        // Loads of literals.
        1 => false,
        // Atomic read-modify-write.
        _ if instruction & 0x0420_0c00 == 0x0020_0000 => true,
        _ if instruction & VECTOR != 0 => !load,
        _ => instruction >> 22 & 3 == 0,
    }
}
