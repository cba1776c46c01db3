//! Exceptions on their way from a `throw` to the frame that catches them.

use crate::arch::{self, CalleeSaved};
use crate::modules;
use crate::trap;

/// A host function ends with a trap, which [`crate::func::call_host`] has stored.
pub(crate) const PENDING_TRAP: u64 = 1;

/// Finds the handler of an exception and goes there. `saved` and `fp` are the callee-saved registers and
/// the frame of the stub that calls this.
pub(crate) extern "C" fn throw(exception: u64, saved: &CalleeSaved, fp: u64) -> ! {
    if exception == PENDING_TRAP {
        crate::func::raise_pending();
    }
    let mut saved = *saved;
    // SAFETY: `fp` is the frame of the stub; the layout is the same on all ISAs.
    let caller = |fp: u64| unsafe { (*(fp as *const u64), *((fp + 8) as *const u64)) };
    let (mut fp, mut pc) = caller(fp);
    while let Some(place) = modules::find(pc, true) {
        if let Some((frame_size, pad)) = place.handler() {
            let sp = fp - u64::from(frame_size);
            // SAFETY: the tables say that this frame continues there.
            unsafe { arch::enter_handler(pad, sp, fp, &raw const saved, exception) };
        }
        for register in place.saved() {
            let at = fp.wrapping_add_signed(i64::from(register.fp_offset));
            // SAFETY: the prologue of this live frame saved it there.
            saved.set(register.register, unsafe { *(at as *const u64) });
        }
        (fp, pc) = caller(fp);
    }
    trap::raise_exception(exception)
}
