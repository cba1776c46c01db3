//! Exceptions: the handler of the one in the context, or the end.

use crate::guest::{self, tables};
use linnet_abi::context::Context;
use linnet_unwind::{Position, Walk};

/// The libcall, called by the frame at `position`.
pub unsafe extern "C" fn throw(context: *mut Context, position: &Position) -> ! {
    let tables = tables().code;
    // SAFETY: the module waits for the host.
    let tag = unsafe { (*context).exception_tag } as u32;
    let mut walk = Walk::from_call(*position);
    // SAFETY: all frames are live, up to those of the host.
    let landing = unsafe { walk.to_handler(tag, |pc, is_return| tables.find(pc, is_return)) };
    match landing {
        // SAFETY: the walk found it on this stack.
        Some(landing) => unsafe { landing.enter(0) },
        None => guest::end("uncaught", 0),
    }
}
