//! Leaving the kernel: programs, forked children, threads, signal handlers.
//!
//! The kernel does none of this itself. It leaves a request in the task; when the last kernel frame
//! is gone, the request is carried out on the user stack.

use super::kernel;
use crate::arch::head::ChildRequest;
use crate::arch::{self, Activation, Handler, Interrupted};
use crate::cpu::{slot, switch};
use crate::host::exit::{self, fatal};
use crate::host::sys;
use crate::memory::layout::Layout;
use crate::task::requests::{ExecRequest, Start, action};
use crate::task::{Entry, Task};
use core::mem::transmute;
use core::ptr;
use linnet_abi::context::Context;

/// More than a frame of this file needs.
const FRAME: usize = 4096;
const SYS_EXIT: u32 = 93;
const SYS_EXIT_GROUP: u32 = 94;

/// The first function of a task that Linux has made.
pub extern "C" fn first(task: &'static Task) -> ! {
    switch::poll_for_interrupts(task);
    task.entry.set(Entry::Task);
    // SAFETY: on the task's kernel stack.
    unsafe { kernel::task_entry(task.kernel_context(), task.id.get(), task.previous.get()) };
    kernel_returned()
}

/// The kernel has returned from what never does.
pub fn kernel_returned() -> ! {
    fatal!(exit::KERNEL, "a task's first function returned");
}

/// Leave the kernel for the first time, or for a new program. The kernel's frames are dropped.
pub fn enter(task: &'static Task) -> ! {
    task.drop_frames();
    task.entry.set(Entry::Call);
    // SAFETY: the kernel says that nothing on its stack is needed; the user stack is unused, or
    // the copy that `resume_forked` expects.
    unsafe {
        match task.requests.start.replace(Start::Program) {
            Start::Forked => arch::resume_forked(core::ptr::from_ref(task).cast()),
            Start::Thread => {
                task.is_thread.set(true);
                arch::enter_user(task, thread_main, task.user_top())
            }
            Start::Resumed => resume(task),
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
    task.is_thread.set(false);
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
        run_actions(task, 0, &Interrupted::bottom());
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
    task.entry.set(Entry::End);
    // SAFETY: on the task's user stack; its kernel stack is empty.
    unsafe { arch::call_on_kernel_stack(task, call, u64::from(nr), u64::from(status)) };
    fatal!(exit::BUG, "a task went on after its end");
}

/// Carry out what the kernel asked for a task that has no frames: another program.
pub fn carry_out_exec(task: &'static Task) -> ! {
    if task.take_action() & action::EXEC == 0 {
        fatal!(exit::KERNEL, "the kernel let a task go that has no frames");
    }
    // SAFETY: there are no frames that anybody needs.
    unsafe { arch::enter_user(task, program_main, task.user_top()) }
}

/// Go on in the user frames of a snapshot. The kernel's frames are rebuilt by the innermost of them.
pub fn resume(task: &'static Task) -> ! {
    extern "C" fn main(task: &Task) -> ! {
        let Some(resumed) = task.resumed_user.get() else {
            fatal!(exit::BUG, "a task has no frames to go on in");
        };
        // SAFETY: the plan is one of this task's program, and its user stack is empty.
        let bits = unsafe { resumed.plan.run(task.user_context()) };
        let task = Task::current();
        if task.is_thread.get() {
            end(task, SYS_EXIT, bits.integer as u32)
        }
        end(task, SYS_EXIT_GROUP, 0)
    }
    // SAFETY: the user stack is empty, and nothing on the kernel stack is needed.
    unsafe { arch::enter_user(task, main, task.user_top()) }
}

/// Carry out what the kernel asked for. `interrupted` is the user code below this call; `result`
/// is what it gets if nothing changes it.
#[unsafe(export_name = "linnet_upcall_run_actions")]
pub extern "C" fn run_actions(task: &Task, result: u64, interrupted: &Interrupted) -> u64 {
    carry_out(task, result, interrupted).0
}

/// The same; gives `interrupted` besides, which may have moved. Inlined, since a result in memory would be
/// written where the caller was before user code forked.
#[inline(always)]
pub fn carry_out(task: &Task, result: u64, interrupted: &Interrupted) -> (u64, Interrupted) {
    let child = task.take_child_request();
    on_top_of(task, Activation::new(*interrupted), || carry_out_here(result, child))
}

/// Call `f` with that as the innermost activation. The second result is where its code was interrupted.
///
/// A signal handler may fork, and then this goes on in the child, in a copy of its frames. No address of the
/// task or of its stack is used behind a call of user code: the task is found from the stack, and the
/// activation from the task.
#[inline(always)]
pub fn on_top_of(
    task: &Task,
    mut activation: Activation,
    f: impl FnOnce() -> u64,
) -> (u64, Interrupted) {
    activation.push(&task.activation);
    let result = f();
    let task = Task::current();
    // SAFETY: pushed above; whoever runs on top of it has left.
    let activation = unsafe { &*task.activation.get() };
    activation.pop(&task.activation);
    (result, activation.interrupted)
}

/// Carry out what the kernel asked for, on top of the innermost activation. Inlined, since arguments in memory
/// would be those of the parent after user code forked.
#[inline(always)]
pub fn carry_out_here(mut result: u64, mut child: ChildRequest) -> u64 {
    loop {
        let task = Task::current();
        let requested = task.take_action();
        if requested & action::EXEC != 0 {
            // SAFETY: the old program's frames are dropped with it.
            unsafe { arch::enter_user(task, program_main, task.user_top()) };
        }
        if requested & action::SIGNAL == 0 {
            if requested & action::SLOT == 0 {
                return result;
            }
            wait_for_slot();
            continue;
        }
        let signal = task.requests.signal.take().expect("requested with its arguments");
        let module = task.module.get().expect("a task in user mode has a program");
        let sp = task.user_global(module.stack_pointer_slot);
        let handler = Handler { ucontext: signal.ucontext, sp, child };
        // SAFETY: whoever calls this has pushed it.
        unsafe { (*task.activation.get().cast_mut()).handler = Some(handler) };
        task.set_user_global(module.stack_pointer_slot, u64::from(signal.sp));
        task.make_room(arch::frame_pointer() as usize - FRAME);
        // The slot may be another's though nothing asks for it now: a signal comes while the task waits for it.
        // What comes meanwhile runs first, on top of this handler's frame in guest memory.
        wait_for_slot();
        // SAFETY: the translator emitted this entry with this type.
        unsafe {
            let call: extern "C" fn(*mut Context, u32, u32, u32, u32, u32) =
                transmute(module.call_restorer);
            call(
                Task::current().user_context(),
                signal.restorer,
                signal.handler,
                signal.signal,
                signal.info,
                signal.ucontext,
            );
        }
        (result, child) = leave_handler();
    }
}

/// The handler on top of the innermost activation has returned: what the interrupted call gives, and what it
/// gives to a child.
pub fn leave_handler() -> (u64, ChildRequest) {
    let task = Task::current();
    if task.has_left_reserve(arch::frame_pointer() as usize - FRAME) {
        task.drop_reserve();
    }
    // SAFETY: whoever calls this has pushed it.
    let handler = unsafe { (*task.activation.get()).handler };
    let Handler { ucontext, sp, child } = handler.expect("set before the handler was called");
    if let Some(module) = task.module.get() {
        task.set_user_global(module.stack_pointer_slot, sp);
    }
    (sigreturn(task, ucontext, child), child)
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
    task.entry.set(Entry::Sigreturn);
    // SAFETY: on the task's user stack; its kernel stack is empty.
    let result = unsafe {
        let child = ptr::from_ref(&child) as u64;
        arch::call_on_kernel_stack(task, call, u64::from(ucontext), child)
    };
    Task::current().entry.set(Entry::Call);
    result
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
    let interrupted = below.map_or_else(Interrupted::bottom, |below| below.interrupted);
    carry_out(task, 0, &interrupted);
}

/// User code polls: let the kernel look for interrupts and signals.
#[unsafe(export_name = "linnet_upcall_poll")]
extern "C" fn poll(task: &Task, interrupted: &Interrupted) {
    on_top_of(task, Activation::new(*interrupted), || {
        poll_kernel(Task::current());
        if Layout::is_small() {
            slot::poll(Task::current());
        }
        0
    });
    let task = Task::current();
    if task.has_action() {
        carry_out(task, 0, interrupted);
    }
}

/// The same on the task's kernel stack, where user code goes on in other frames than it has called from.
pub fn poll_if_wanted(task: &Task) {
    if task.take_poll() {
        task.entry.set(Entry::Fault);
        // SAFETY: on the task's kernel stack, above frames that touch none of the kernel's state.
        unsafe { kernel::user_poll(task.kernel_context()) };
        task.entry.set(Entry::Call);
    }
}

fn poll_kernel(task: &Task) {
    extern "C" fn call(task: &Task, _: u64, _: u64) -> u64 {
        // SAFETY: on the task's kernel stack.
        unsafe { kernel::user_poll(task.kernel_context()) };
        0
    }
    task.clear_poll();
    task.entry.set(Entry::Poll);
    // SAFETY: on the task's user stack; its kernel stack is empty.
    unsafe { arch::call_on_kernel_stack(task, call, 0, 0) };
    task.entry.set(Entry::Call);
}
