//! The user imports `context_swap` and `context_drop`.

use super::user;
use crate::arch::{self, ThreadRequest};
use crate::task::{Task, ucontext};
use core::ptr;
use linnet_abi::context::Context;

const EINVAL: u32 = 22;
const ENOMEM: u32 = 12;

/// On the task's kernel stack. All of the caller's registers that matter are in its frames.
#[unsafe(export_name = "linnet_upcall_context_swap")]
extern "C" fn swap(
    task: &Task,
    from: u32,
    to: u32,
    function: u32,
    argument: u32,
    stack: u32,
) -> u32 {
    if to != 0 && to != from && !ucontext::exists(task, to) {
        return EINVAL;
    }
    if from != 0 && !ucontext::save(task, from) {
        return ENOMEM;
    }
    if to != 0 {
        if !ucontext::resume(task, to) {
            return EINVAL;
        }
        // It may have been here before.
        user::poll_if_wanted(task);
    } else if function != 0 {
        task.activation.set(ptr::null());
        task.set_frames(task.user_top(), stack);
        user::poll_if_wanted(task);
        task.thread.set(ThreadRequest { function, argument, ..ThreadRequest::default() });
        // SAFETY: the frames on both stacks are saved or not needed any more.
        unsafe { arch::enter_user(task, user::thread_main, task.user_top()) };
    }
    0
}

#[unsafe(export_name = "linnet_user_context_drop")]
extern "C" fn drop(context: *mut Context, which: u32) {
    // SAFETY: translated user code calls this with its context.
    ucontext::discard(unsafe { Task::of_user(context) }, which);
}
