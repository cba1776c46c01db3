//! Leaving the kernel: programs, forked children, threads, signal handlers.
//!
//! The kernel does none of this itself. It leaves a request in the task; when the last kernel frame
//! is gone, the request is carried out on the user stack.

use super::kernel;
use crate::arch::{self, Activation};
use crate::cpu::{slot, switch};
use crate::host::exit::{self, fatal};
use crate::host::sys;
use crate::memory::layout::Layout;
use crate::task::Task;
use crate::task::requests::{ChildRequest, ExecRequest, Start, action};
use core::mem::transmute;
use core::ptr;
use linnet_abi::context::Context;

/// More than a frame of this file needs.
const FRAME: usize = 4096;
const SYS_EXIT: u32 = 93;
const SYS_EXIT_GROUP: u32 = 94;

/// Leave the kernel for the first time, or for a new program. The kernel's frames are dropped.
pub fn enter(task: &'static Task) -> ! {
    task.drop_frames();
    // SAFETY: the kernel says that nothing on its stack is needed; the user stack is unused, or
    // the copy that `resume_forked` expects.
    unsafe {
        match task.requests.start.replace(Start::Program) {
            Start::Forked => arch::resume_forked(core::ptr::from_ref(task).cast()),
            Start::Thread => arch::enter_user(task, thread_main, task.user_top()),
            Start::Program => arch::enter_user(task, program_main, task.user_top()),
        }
    }
}

extern "C" fn program_main(task: &Task) -> ! {
    task.take_action();
    let Some(ExecRequest { mm, program, sp }) = task.requests.exec.take() else {
        fatal!(exit::KERNEL, "the kernel let a task go that has no program");
    };
    slot::leave(task);
    task.set_program(program, mm, sp);
    wait_for_slot();
    let task = Task::current();
    switch::poll_for_interrupts(task);
    // SAFETY: the translator emitted this entry with this type.
    unsafe {
        let start: extern "C" fn(*mut Context) = transmute(program.start);
        start(task.user_context());
    }
    end(Task::current(), SYS_EXIT_GROUP, 0)
}

/// Calls the function in the task's [`ThreadRequest`](crate::task::ThreadRequest).
pub extern "C" fn thread_main(task: &Task) -> ! {
    let thread = task.thread.get();
    if task.has_action() {
        run_actions(task, 0, &mut Activation::bottom());
    }
    let task = Task::current();
    let module = task.module.get().expect("inherited from the parent");
    // SAFETY: the translator emitted this entry with this type.
    let status = unsafe {
        let call: extern "C" fn(*mut Context, u32, u32) -> u32 = transmute(module.call_thread);
        call(task.user_context(), thread.function, thread.argument)
    };
    end(Task::current(), SYS_EXIT, status)
}

/// The program's function returned: make the call that ends it.
fn end(task: &Task, nr: u32, status: u32) -> ! {
    extern "C" fn call(task: &Task, nr: u64, status: u64) -> u64 {
        // SAFETY: on the task's kernel stack.
        unsafe { kernel::syscall(task.kernel_context(), nr as u32, 0, status, 0, 0, 0, 0, 0) }
    }
    // SAFETY: on the task's user stack; its kernel stack is empty.
    unsafe { arch::call_on_kernel_stack(task, call, u64::from(nr), u64::from(status)) };
    fatal!(exit::BUG, "a task went on after its end");
}

/// Carry out what the kernel asked for. `interrupted` is the user code below this call; `result`
/// is what it gets if nothing changes it.
#[unsafe(export_name = "linnet_upcall_run_actions")]
pub extern "C" fn run_actions(task: &Task, result: u64, interrupted: &mut Activation) -> u64 {
    carry_out(task, result, interrupted).0
}

/// The same; gives `interrupted` besides.
///
/// A signal handler may fork, and then this goes on in the child, in a copy of its frames. No address of the
/// task or of its stack is used behind a call of user code: the task is found from the stack, and the
/// activation from the task.
pub fn carry_out(
    mut task: &Task,
    mut result: u64,
    interrupted: &mut Activation,
) -> (u64, *const Activation) {
    let child = task.take_child_request();
    interrupted.push(&task.activation);
    loop {
        let requested = task.take_action();
        if requested & action::EXEC != 0 {
            // SAFETY: the old program's frames are dropped with it.
            unsafe { arch::enter_user(task, program_main, task.user_top()) };
        }
        if requested & action::SIGNAL == 0 {
            if requested & action::SLOT == 0 {
                let interrupted = task.activation.get();
                // SAFETY: pushed above; whoever runs on top of it has left.
                unsafe { (*interrupted).pop(&task.activation) };
                return (result, interrupted);
            }
            wait_for_slot();
            task = Task::current();
            continue;
        }
        let signal = task.requests.signal.take().expect("requested with its arguments");
        let module = task.module.get().expect("a task in user mode has a program");
        let sp = task.user_global(module.stack_pointer_slot);
        task.set_user_global(module.stack_pointer_slot, u64::from(signal.sp));
        task.make_room(arch::frame_pointer() as usize - FRAME);
        if requested & action::SLOT != 0 {
            // What comes meanwhile runs first, on top of this handler's frame in guest memory.
            wait_for_slot();
            task = Task::current();
        }
        // SAFETY: the translator emitted this entry with this type.
        unsafe {
            let call: extern "C" fn(*mut Context, u32, u32, u32, u32, u32) =
                transmute(module.call_restorer);
            call(
                task.user_context(),
                signal.restorer,
                signal.handler,
                signal.signal,
                signal.info,
                signal.ucontext,
            );
        }
        task = Task::current();
        if task.has_left_reserve(arch::frame_pointer() as usize - FRAME) {
            task.drop_reserve();
        }
        task.set_user_global(module.stack_pointer_slot, sp);
        result = sigreturn(task, signal.ucontext, child);
    }
}

/// A handler has returned: what the interrupted call gives, which the kernel may begin again. If that call
/// was to make a child, `child` is what the child begins with, whatever children the handler has made.
#[inline(never)]
fn sigreturn(task: &Task, ucontext: u32, child: ChildRequest) -> u64 {
    extern "C" fn call(task: &Task, ucontext: u64, child: u64) -> u64 {
        // SAFETY: the address of the caller's argument.
        task.request_child(unsafe { &*(child as *const ChildRequest) });
        // SAFETY: on the task's kernel stack.
        let result = unsafe { kernel::sigreturn(task.kernel_context(), ucontext as u32) };
        task.take_child_request();
        result
    }
    // SAFETY: on the task's user stack; its kernel stack is empty.
    unsafe {
        let child = ptr::from_ref(&child) as u64;
        arch::call_on_kernel_stack(task, call, u64::from(ucontext), child)
    }
}

/// Let others run until the slot of the task's memory is free. User code may run meanwhile.
fn wait_for_slot() {
    while Layout::is_small() && !slot::enter(Task::current()) {
        sys::sched_yield();
        poll_kernel(Task::current());
        if Task::current().has_action() {
            run_nested(Task::current());
        }
    }
}

/// Carry out what the kernel asks for while something else waits.
#[inline(never)]
fn run_nested(task: &Task) {
    // SAFETY: activations lie in live frames of this stack.
    let below = unsafe { task.activation.get().as_ref() };
    let mut interrupted = below.map_or_else(Activation::bottom, Activation::clone);
    carry_out(task, 0, &mut interrupted);
}

/// User code polls: let the kernel look for interrupts and signals.
#[unsafe(export_name = "linnet_upcall_poll")]
extern "C" fn poll(task: &Task) {
    poll_kernel(task);
    if Layout::is_small() {
        slot::poll(task);
    }
}

/// The same on the task's kernel stack, where user code goes on in other frames than it has called from.
pub fn poll_if_wanted(task: &Task) {
    if task.take_poll() {
        // SAFETY: on the task's kernel stack, above frames that touch none of the kernel's state.
        unsafe { kernel::user_poll(task.kernel_context()) };
    }
}

fn poll_kernel(task: &Task) {
    extern "C" fn call(task: &Task, _: u64, _: u64) -> u64 {
        // SAFETY: on the task's kernel stack.
        unsafe { kernel::user_poll(task.kernel_context()) };
        0
    }
    task.clear_poll();
    // SAFETY: on the task's user stack; its kernel stack is empty.
    unsafe { arch::call_on_kernel_stack(task, call, 0, 0) };
}
