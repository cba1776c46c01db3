//! A child's beginning: a copy of its parent's frames ([`super::relocate`]), or a function to call.

use super::relocate::Copy;
use super::requests::Start;
use super::{Task, ucontext};
use crate::arch::head::{FRAMES, FUNCTION};
use crate::memory::ids::MemoryId;
use crate::memory::loaded;
use crate::memory::tlb;
use core::ptr;

/// clone(2): the child has a thread pointer of its own.
const CLONE_SETTLS: u32 = 0x8_0000;

/// Give `child` what `parent` asked for: a copy of its frames, or a function to call. False if the host has no
/// room for that.
pub fn inherit(parent: &Task, child: &'static Task, mm: MemoryId) -> bool {
    let Some(module) = parent.module.get() else { return true };
    child.module.set(Some(module));
    loaded::hold(module);
    child.mm.set(mm);
    child.is_thread.set(parent.is_thread.get());
    // SAFETY: neither task's user code runs now.
    unsafe { child.user_context().write(*parent.user_context()) };
    // SAFETY: as above.
    unsafe { (*child.user_context()).heap_base = tlb::base(mm) };
    child.clear_poll();
    match parent.forking.get() {
        FRAMES => {
            if !copy_frames(parent, child) {
                return false;
            }
            child.requests.start.set(Start::Forked);
        }
        FUNCTION => {
            let thread = parent.thread.get();
            child.set_user_global(module.stack_pointer_slot, u64::from(thread.stack));
            if thread.flags & CLONE_SETTLS != 0 && module.tls_base_slot != u32::MAX {
                child.set_user_global(module.tls_base_slot, u64::from(thread.tls));
            }
            child.thread.set(thread);
            child.requests.start.set(Start::Thread);
        }
        _ => {}
    }
    true
}

/// Copy the user stack, and what user contexts have saved of theirs. False if the host has no room.
fn copy_frames(parent: &Task, child: &Task) -> bool {
    let (from, end) = parent.frames();
    let delta = child.region().wrapping_sub(parent.region());
    if parent.has_reserve() {
        child.make_room(child.region());
        if !child.has_reserve() {
            return false;
        }
    }
    let to = from.wrapping_add(delta);
    // SAFETY: both ranges lie in the tasks' own user stacks; the parent is in the kernel.
    unsafe { ptr::copy_nonoverlapping(from as *const u8, to as *mut u8, end - from) };
    child.user_sp.set(to);
    let mut activation = parent.activation.get();
    // Those of frames below belong to a handler whose interrupted call is begun again.
    while !activation.is_null() && activation.addr() < from {
        // SAFETY: activations lie in live frames of the parent's stack.
        activation = unsafe { (*activation).previous };
    }
    child.activation.set(if activation.is_null() {
        activation
    } else {
        activation.wrapping_byte_add(delta)
    });
    // SAFETY: copied just now.
    unsafe { Copy::new(parent, child, from, to).relocate(activation) };
    ucontext::inherit(parent, child)
}
