//! The clocks that user code reads without a call of the kernel.
//!
//! The kernel writes this whenever it adjusts its clocks. A reading is the base of a clock, plus the
//! host's nanoseconds since `cycle_last` as the kernel scales them. What the kernel says at the same
//! moment is the same to the nanosecond.

/// Numbers of clocks, as in clock_gettime(2), that there are bases for.
pub const CLOCKS: usize = 12;

/// Clocks that advance all the time: REALTIME, MONOTONIC, BOOTTIME, TAI.
pub const FINE: u32 = 1 << 0 | 1 << 1 | 1 << 7 | 1 << 11;

/// Clocks that advance when the kernel writes this: REALTIME_COARSE, MONOTONIC_COARSE.
pub const COARSE: u32 = 1 << 5 | 1 << 6;

/// In the kernel's memory, all of it little-endian and at its natural alignment.
#[repr(C, align(8))]
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    /// Odd while the kernel writes the rest.
    pub sequence: u32,
    /// What nanoseconds of the host are multiplied by ...
    pub multiplier: u32,
    /// ... and what the product is then shifted by, to the right.
    pub shift: u32,
    pub reserved: u32,
    /// The host's nanoseconds, `clock_monotonic`, when this was written.
    pub cycle_last: u64,
    /// The part of a nanosecond that had passed, and perhaps more, before the shift.
    pub remainder: u64,
    /// What each clock said, in nanoseconds.
    pub base: [u64; CLOCKS],
}

/// Bits of a reading that are nanoseconds; those above are seconds.
pub const NANOSECOND_BITS: u32 = 30;

/// Instead of a reading: ask the kernel.
pub const UNKNOWN: u64 = u64::MAX;
