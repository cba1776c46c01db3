//! From native frames to a record.

use crate::Error;
use crate::arch;
use crate::tables::Tables;
use core::ptr;
use linnet_abi::frames::{
    CapturePoint, FrameHeader, HOST_FRAME, IN_SLOT, MAGIC, NativePoint, RecordHeader, VERSION,
    ValueType,
};
use linnet_unwind::Position;

/// A host function that a function of the module called, and that called one of the module in turn.
#[derive(Debug)]
pub struct HostFrame<'h> {
    /// What the host needs to go on: whatever it likes.
    pub number: u32,
    pub words: &'h [u64],
    /// Its caller.
    pub position: Position,
}

/// The host's part of a stack.
pub trait Host {
    /// The host function whose call of the module returns to `position`, or nothing if it is the one
    /// that entered the module first.
    fn below(&mut self, position: &Position) -> Option<HostFrame<'_>>;
}

/// Stack that a landing pad may use, in bytes: what a signal frame of the host takes, in case that
/// one comes meanwhile.
const PAD_STACK: usize = 16384;

/// Words of memory that [`capture`] needs for itself.
#[must_use]
pub fn scratch_words(tables: &Tables<'_>) -> usize {
    (PAD_STACK + tables.largest_frame()) / 8 + 8
}

/// A record that grows towards lower addresses: the innermost frame comes first.
struct Writer<'o> {
    out: &'o mut [u64],
    at: usize,
    frames: u32,
}

const HEADER_WORDS: usize = size_of::<RecordHeader>() / 8;
const FRAME_WORDS: usize = size_of::<FrameHeader>() / 8;

impl Writer<'_> {
    /// Room for a frame of that many words, zeroed; the index of the first.
    fn frame(&mut self, words: usize) -> Result<usize, Error> {
        let at = self.at.checked_sub(words + FRAME_WORDS).filter(|at| *at >= HEADER_WORDS);
        self.at = at.ok_or(Error::NoRoom)?;
        self.frames += 1;
        let first = self.at + FRAME_WORDS;
        self.out[first..first + words].fill(0);
        Ok(first)
    }

    /// Writes the header in front of the word `first`.
    fn head(&mut self, first: usize, function: u32, point: u32, words: usize) {
        self.out[first - FRAME_WORDS] = u64::from(function) | u64::from(point) << 32;
        self.out[first - 1] = words as u64;
    }

    fn host(&mut self, number: u32, words: &[u64]) -> Result<(), Error> {
        let first = self.frame(words.len())?;
        self.out[first..first + words.len()].copy_from_slice(words);
        self.head(first, HOST_FRAME, number, words.len());
        Ok(())
    }

    /// Puts the record at the beginning of the memory; its length in words.
    fn finish(self, id: &[u8; 32]) -> usize {
        let len = self.out.len() - self.at + HEADER_WORDS;
        self.out.copy_within(self.at.., HEADER_WORDS);
        self.out[0] = u64::from(MAGIC) | u64::from(VERSION) << 32;
        for (word, bytes) in self.out[1..5].iter_mut().zip(id.chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        self.out[5] = u64::from(self.frames) | (8 * len as u64) << 32;
        len
    }
}

/// Writes down the stack whose innermost frame of the module stands at `position`, in a call of the
/// host; `number` and `words` are that host function's own frame. Gives the length of the record in
/// words, from the beginning of `out`.
///
/// No captured frame is changed.
///
/// # Errors
/// A frame cannot be captured, or there is not enough memory.
///
/// # Safety
/// `position` must be the caller of a function of the host that has not returned, on a stack that does
/// not run meanwhile except for the caller's own frames, and the host must be right about its frames.
pub unsafe fn capture(
    tables: &Tables<'_>,
    position: Position,
    (number, words): (u32, &[u64]),
    host: &mut impl Host,
    out: &mut [u64],
    scratch: &mut [u64],
) -> Result<usize, Error> {
    if scratch.len() < scratch_words(tables) {
        return Err(Error::NoScratch);
    }
    let at = out.len();
    let mut writer = Writer { out, at, frames: 0 };
    writer.host(number, words)?;
    let mut position = position;
    loop {
        let Some(found) = tables.code.find(position.pc, true) else {
            let Some(frame) = host.below(&position) else { return Ok(writer.finish(tables.id)) };
            writer.host(frame.number, frame.words)?;
            position = frame.position;
            continue;
        };
        let (index, offset) = (found.function.index, found.offset);
        // Entries and thunks, which are no functions of the module, keep nothing.
        if index != u32::MAX {
            let missing = Error::NotACapturePoint { function: index, offset };
            let native_points = tables.native_points(found.number, offset);
            if native_points.is_empty() {
                return Err(missing);
            }
            for native_point in native_points {
                let (point, index, number) = tables.point_of(native_point).ok_or(missing)?;
                let first = writer.frame(point.words as usize)?;
                let code = found.function.start as u64;
                let to = &mut writer.out[first - 1..first + point.words as usize];
                // SAFETY: the tables say that the frame stands at this point, and the caller that it lives.
                unsafe { values(tables, point, native_point, code, &position, to, scratch) };
                writer.head(first, index, number, point.words as usize);
            }
        }
        // SAFETY: a live frame.
        unsafe { position.step(&found) };
    }
}

/// Writes the values of a frame behind the first word of `to`.
///
/// # Safety
/// The frame at `position` must be live and stand at `native_point`, in code that begins at `code`.
unsafe fn values(
    tables: &Tables<'_>,
    point: &CapturePoint,
    native_point: &NativePoint,
    code: u64,
    position: &Position,
    to: &mut [u64],
    scratch: &mut [u64],
) {
    let Position { fp, saved, .. } = position;
    let size = native_point.frame_size as usize;
    let sp = fp - size as u64;
    if native_point.entry & IN_SLOT != 0 {
        let from = (sp + u64::from(native_point.entry & !IN_SLOT)) as *const u64;
        // SAFETY: the frame wrote that many words into its slot before the call.
        unsafe { ptr::copy_nonoverlapping(from, to[1..].as_mut_ptr(), point.words as usize) };
        // The frame wrote halves of words and left what was beside them.
        let mut words = to[1..].iter_mut();
        for ty in tables.values(point) {
            let first = words.next();
            if ty == ValueType::V128 {
                words.next();
            }
            if let Some(word) = first.filter(|_| ty.is_half()) {
                *word &= u64::from(u32::MAX);
            }
        }
        return;
    }
    // The copy ends with the frame pointer and the return address, aligned as stacks are.
    let end = scratch.as_mut_ptr_range().end as u64 & !15;
    let (copy, copy_fp) = (end - 16 - size as u64, end - 16);
    // SAFETY: the scratch memory has room for the largest frame and for what its code pushes; the code
    // reads the frame, writes its values behind the first word and comes back.
    unsafe {
        ptr::copy_nonoverlapping(sp as *const u8, copy as *mut u8, size + 16);
        let pad = code + u64::from(native_point.entry);
        arch::run_pad(pad, copy, copy_fp, saved, to[1..].as_mut_ptr());
    }
}
