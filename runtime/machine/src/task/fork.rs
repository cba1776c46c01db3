//! A child's beginning: a copy of its parent's frames, or a function to call.

use super::{Start, Task, ucontext};
use crate::arch::head::{FRAMES, FUNCTION};
use crate::memory::layout::{REGION_SIZE, USER_TOP};
use crate::memory::tlb;
use linnet_abi::memory::SLOT_SIZE;

/// clone(2): the child has a thread pointer of its own.
const CLONE_SETTLS: u32 = 0x8_0000;

/// Give `child` what `parent` asked for: a copy of its frames, or a function to call.
pub fn inherit(parent: &Task, child: &'static Task, mm: u32) {
    let Some(module) = parent.module.get() else { return };
    child.module.set(Some(module));
    child.mm.set(mm);
    // SAFETY: neither task's user code runs now.
    unsafe { child.user.get().write(*parent.user.get()) };
    // SAFETY: as above.
    unsafe { (*child.user.get()).heap_base = tlb::base(mm) };
    child.clear_poll();
    match parent.forking.get() {
        FRAMES => {
            copy_frames(parent, child);
            child.start.set(Start::Forked);
        }
        FUNCTION => {
            let thread = parent.thread.get();
            child.set_user_global(module.stack_pointer_slot, u64::from(thread.stack));
            if thread.flags & CLONE_SETTLS != 0 && module.tls_base_slot != u32::MAX {
                child.set_user_global(module.tls_base_slot, u64::from(thread.tls));
            }
            child.thread.set(thread);
            child.start.set(Start::Thread);
        }
        _ => {}
    }
}

/// Copy the user stack. Words that point into the parent's stack, task or memory point into the
/// child's afterwards.
fn copy_frames(parent: &Task, child: &Task) {
    let delta = child.region().wrapping_sub(parent.region());
    let from = parent.user_sp.get();
    if parent.has_reserve() {
        child.make_room(child.region());
    }
    let words = (parent.region() + USER_TOP - from) / size_of::<usize>();
    let parent_base = parent.user_base() as usize;
    let child_base = child.user_base() as usize;
    let move_word = |word: usize| {
        if word.wrapping_sub(parent.region()) < REGION_SIZE {
            word.wrapping_add(delta)
        } else if word.wrapping_sub(parent_base) < SLOT_SIZE as usize {
            word - parent_base + child_base
        } else {
            word
        }
    };
    for i in 0..words {
        // SAFETY: both ranges lie in the tasks' own user stacks; the parent is in the kernel.
        unsafe {
            let word = *(from as *const usize).add(i);
            *((from.wrapping_add(delta)) as *mut usize).add(i) = move_word(word);
        }
    }
    ucontext::inherit(parent, child, move_word);
    child.user_sp.set(from.wrapping_add(delta));
    let activation = parent.activation.get();
    if !activation.is_null() {
        child.activation.set(activation.wrapping_byte_add(delta));
    }
}
