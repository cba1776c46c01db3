//! Exceptions on their way from a `throw` to the frame that catches them.

use crate::modules;
use crate::trap;
use linnet_abi::module::TAG_ANY;
use linnet_abi::trap::Trap;
use linnet_unwind::walk::link;
use linnet_unwind::{CalleeSaved, Position, Walk};

/// A host function ends with a trap, which [`crate::func::call_host`] has stored.
pub(crate) const PENDING_TRAP: u64 = 1;

/// Finds the handler of an exception and goes there. `saved` and `fp` are the callee-saved registers and
/// the frame of the stub that calls this.
pub(crate) extern "C" fn throw(exception: u64, saved: &CalleeSaved, fp: u64) -> ! {
    if exception == PENDING_TRAP {
        // What `func::call_host` has stored says more.
        trap::raise_behind(Trap::Unreachable as u8, fp);
    }
    // SAFETY: `fp` is the frame of the stub, which begins as those of translated code do.
    let (fp, pc) = unsafe { link(fp) };
    let mut walk = Walk::from_call(Position { fp, pc, saved: *saved });
    // Handlers of these modules take all exceptions.
    // SAFETY: all frames are live, up to those of the host.
    if let Some(landing) = unsafe { walk.to_handler(TAG_ANY, modules::find) } {
        // SAFETY: the walk found it on this stack.
        unsafe { landing.enter(exception) }
    }
    trap::raise_exception(exception)
}
