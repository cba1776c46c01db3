//! The user import `clock`: what the guest's clocks say, without a call of the kernel.

use crate::host::clock;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering, fence};
use linnet_abi::clock::{COARSE, Clocks, FINE, NANOSECOND_BITS, UNKNOWN};
use linnet_abi::context::Context;

static CLOCKS: AtomicPtr<Clocks> = AtomicPtr::new(ptr::null_mut());

/// Tell where the kernel keeps its clocks: aligned, in memory that stays mapped. No program runs yet.
pub fn init(clocks: *mut u8) {
    CLOCKS.store(clocks.cast(), Ordering::Relaxed);
}

/// The kernel is asked instead if it takes long to write what this reads: then its
/// vCPU does not run.
#[unsafe(export_name = "linnet_user_clock")]
extern "C" fn user_clock(_: *mut Context, id: u32) -> u64 {
    const ROUNDS: u32 = 100;
    (0..ROUNDS).find_map(|_| guest_clock(id)).unwrap_or(UNKNOWN)
}

/// What a clock of the guest says, or `None` while the kernel adjusts it.
fn guest_clock(id: u32) -> Option<u64> {
    let (fine, coarse) = (FINE.checked_shr(id)? & 1 != 0, COARSE.checked_shr(id)? & 1 != 0);
    if !(fine || coarse) {
        return Some(UNKNOWN);
    }
    let clocks = CLOCKS.load(Ordering::Relaxed);
    // SAFETY: mapped and aligned, and any bytes are such a structure. The kernel may write it meanwhile,
    // which the sequence tells; until then nothing that was read is believed.
    unsafe {
        let sequence = AtomicU32::from_ptr(&raw mut (*clocks).sequence);
        let before = sequence.load(Ordering::Acquire);
        let mut time = ptr::read_volatile(&raw const (*clocks).base[id as usize]);
        if fine {
            let last = ptr::read_volatile(&raw const (*clocks).cycle_last);
            let remainder = ptr::read_volatile(&raw const (*clocks).remainder);
            let multiplier = ptr::read_volatile(&raw const (*clocks).multiplier);
            let shift = ptr::read_volatile(&raw const (*clocks).shift);
            // Another vCPU may have been ahead of this one when it wrote.
            let since =
                u128::from(clock::monotonic().saturating_sub(last)) * u128::from(multiplier);
            let since = (since + u128::from(remainder)) >> (shift % 64);
            time = time.wrapping_add(since as u64);
        }
        fence(Ordering::Acquire);
        let is_whole = before.is_multiple_of(2) && sequence.load(Ordering::Relaxed) == before;
        is_whole.then(|| pack(time))
    }
}

fn pack(nanoseconds: u64) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    let seconds = nanoseconds / SECOND;
    if seconds >= 1 << (63 - NANOSECOND_BITS) {
        return UNKNOWN;
    }
    (seconds << NANOSECOND_BITS) | (nanoseconds % SECOND)
}
