//! What differs between the instruction sets. Each file has the same items.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "riscv64")]
mod riscv64;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::*;
#[cfg(target_arch = "riscv64")]
pub use riscv64::*;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

/// [`host_node`] for a caller with the convention of tail calls, see [`linnet_abi::frames::Frames::tail_calls`]:
/// here its first argument is where the C convention has it.
#[cfg(not(target_arch = "aarch64"))]
pub use self::host_node as tail_host_node;

#[cfg(not(target_arch = "aarch64"))]
use self::call as tail_call;

use linnet_abi::context::Context;
use linnet_abi::frames::Node;

/// Bits of the one result of a function; which of the two it is follows from its type. They come in two
/// registers: a frame that waits for them may be copied to another stack, and must not have said where to put
/// them.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    pub integer: u64,
    pub float: u64,
}

/// Lets `context` point to `node`, runs its code, in the convention of tail calls or in that of C, and gives
/// the bits of its result.
///
/// # Safety
/// The code must be that of the node, and the node one of a plan of the context's module.
pub unsafe fn enter(
    context: *mut Context,
    code: *const u8,
    node: *const Node,
    tail_calls: bool,
) -> Bits {
    // SAFETY: the caller's promise.
    unsafe {
        (*context).record = node as u64;
        if tail_calls { tail_call(context, code) } else { call(context, code) }
    }
}
