//! Numbers of guest memories: which the kernel may name, which are in use, and which have ended but are
//! still mapped.

use crate::memory::layout::MEMORIES;
use core::iter;
use core::mem;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

/// A linear memory: the kernel's, or one that there was when the kernel named it. There is a place for
/// every one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryId(u32);

/// Memories that the kernel may name, as bits.
static LIVE: [AtomicU64; WORDS] = [const { AtomicU64::new(0) }; WORDS];

impl MemoryId {
    pub const KERNEL: MemoryId = MemoryId(0);

    /// A program's memory that the kernel has made and not freed.
    pub fn of_program(n: u32) -> Option<MemoryId> {
        let word = LIVE.get(n as usize / 64)?.load(Ordering::Relaxed);
        (word >> (n % 64) & 1 != 0).then_some(MemoryId(n))
    }

    /// The kernel frees it; `None` if it has none of that number. Of two that try, one does.
    pub fn take(n: u32) -> Option<MemoryId> {
        let bit = 1 << (n % 64);
        let word = LIVE.get(n as usize / 64)?.fetch_and(!bit, Ordering::AcqRel);
        (word & bit != 0).then_some(MemoryId(n))
    }

    /// A memory that is free but for the caller.
    pub fn new(n: u32) -> MemoryId {
        LIVE[n as usize / 64].fetch_or(1 << (n % 64), Ordering::AcqRel);
        MemoryId(n)
    }

    /// Every number that a program's memory can have.
    pub fn of_all_programs() -> impl Iterator<Item = MemoryId> {
        (1..MEMORIES as u32).map(MemoryId)
    }

    pub fn number(self) -> u32 {
        self.0
    }

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

const WORDS: usize = MEMORIES.div_ceil(64);

/// A set of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Set([u64; WORDS]);

impl Set {
    const EMPTY: Set = Set([0; WORDS]);

    fn insert(&mut self, n: u32) {
        self.0[n as usize / 64] |= 1 << (n % 64);
    }

    fn remove(&mut self, n: u32) {
        self.0[n as usize / 64] &= !(1 << (n % 64));
    }

    /// The lowest id from `from` that is in the set, or that is not.
    fn next(&self, from: u32, is_in: bool) -> Option<u32> {
        let mut n = from;
        while (n as usize) < MEMORIES {
            let word = self.0[n as usize / 64];
            let rest = (if is_in { word } else { !word }) >> (n % 64);
            if rest != 0 {
                return Some(n + rest.trailing_zeros()).filter(|n| (*n as usize) < MEMORIES);
            }
            n = (n / 64 + 1) * 64;
        }
        None
    }

    /// MemoryIds that follow each other, from the lowest.
    pub fn runs(&self) -> impl Iterator<Item = Range<u32>> {
        let mut from = 0;
        iter::from_fn(move || {
            let start = self.next(from, true)?;
            let end = self.next(start, false).unwrap_or(MEMORIES as u32);
            from = end;
            Some(start..end)
        })
    }
}

/// All ids. 0 is the kernel's memory and always in use.
pub struct MemoryIds {
    used: Set,
    retired: Set,
    retired_count: u32,
}

impl MemoryIds {
    pub const fn new() -> Self {
        let mut used = Set::EMPTY;
        used.0[0] = 1;
        MemoryIds { used, retired: Set::EMPTY, retired_count: 0 }
    }

    /// Nobody gets this one.
    pub fn withhold(&mut self, n: u32) {
        self.used.insert(n);
    }

    /// The lowest id that is free; 0 if none is. So those that end make long runs, and few addresses
    /// are ever used, for each page of which QEMU's user mode emulation keeps 32 bytes.
    pub fn alloc(&mut self) -> u32 {
        let Some(n) = self.used.next(1, false) else { return 0 };
        self.used.insert(n);
        n
    }

    /// That id, if it exists and is free.
    pub fn take(&mut self, n: u32) -> bool {
        let is_free = (n as usize) < MEMORIES && self.used.next(n, false) == Some(n);
        if is_free {
            self.used.insert(n);
        }
        is_free
    }

    pub fn free(&mut self, n: u32) {
        self.used.remove(n);
    }

    /// Nobody uses this memory any more. Returns the number of those that wait to be unmapped.
    pub fn retire(&mut self, n: u32) -> u32 {
        self.retired.insert(n);
        self.retired_count += 1;
        self.retired_count
    }

    /// Those that wait. They stay in use until they are freed.
    pub fn take_retired(&mut self) -> Set {
        self.retired_count = 0;
        mem::replace(&mut self.retired, Set::EMPTY)
    }
}
