//! Guest memory, as it goes into snapshots.

use crate::host::sys;
use crate::memory::layout::Layout;
use crate::memory::ram::Ram;
use core::ops::Range;
use linnet_abi::memory::NULL_GUARD;
use linnet_snapshot::RUN;

/// Whether a piece of memory holds something is found out for so many bytes at once.
pub const PIECE: u64 = 4096;

/// A part of guest memory, which must not change.
pub fn bytes(part: Range<u64>) -> &'static [u8] {
    let at = Layout::get().slots + part.start;
    // SAFETY: guest-physical memory is mapped there, and the vCPU that asks is the only one that runs.
    unsafe { core::slice::from_raw_parts(at as *const u8, (part.end - part.start) as usize) }
}

pub fn is_zero(bytes: &[u8]) -> bool {
    // SAFETY: words are valid whatever their bytes.
    let (_, words, _) = unsafe { bytes.align_to::<u64>() };
    words.iter().all(|word| *word == 0)
}

/// The parts of guest memory that are not zero, upwards; each lies in one run.
pub fn used() -> impl Iterator<Item = Range<u64>> {
    let mut held = held();
    let mut rest = 0..0;
    let is_used = |at: &u64| !is_zero(bytes(*at..at + PIECE));
    core::iter::from_fn(move || {
        loop {
            let mut pieces = rest.clone().step_by(PIECE as usize);
            let Some(start) = pieces.find(is_used) else {
                rest = held.next()?;
                continue;
            };
            let end = pieces.find(|at| !is_used(at)).unwrap_or(rest.end);
            rest.start = end;
            return Some(start..end);
        }
    })
}

/// The parts of guest memory that the host holds anything of, upwards: each begins and ends with a piece, and lies
/// in one run. The memory behind the last one is all zeros.
pub fn held() -> impl Iterator<Item = Range<u64>> {
    const SEEK_DATA: u32 = 3;
    const SEEK_HOLE: u32 = 4;
    let ram = Ram::get();
    let mut at = NULL_GUARD;
    let mut hole = 0;
    core::iter::from_fn(move || {
        if at >= hole {
            let data = u64::try_from(sys::seek(ram.fd, at, SEEK_DATA)).ok()?;
            hole = u64::try_from(sys::seek(ram.fd, data, SEEK_HOLE)).unwrap_or(ram.size);
            hole = hole.next_multiple_of(PIECE).min(ram.size);
            at = at.max(data & !(PIECE - 1));
        }
        let start = at;
        at = hole.min((start / RUN as u64 + 1) * RUN as u64);
        (start < at).then_some(start..at)
    })
}

/// Words as the bytes of a file.
pub fn as_bytes(words: &[u64]) -> &[u8] {
    // SAFETY: words are bytes; all ISAs here have the low one first.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), 8 * words.len()) }
}
