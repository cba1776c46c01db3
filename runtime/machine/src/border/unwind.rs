//! Exceptions of user code, and traces of the kernel's.
//!
//! User code may lie under user code of a signal handler. Between the two is a frame of the
//! runtime; an [`Activation`] in that frame says where the interrupted code stands.

use crate::arch::{self, Activation, Interrupted};
use crate::border::{kernel, user};
use crate::task::{Entry, Task};
use linnet_abi::context::Context;
use linnet_abi::module::Module;
use linnet_abi::trap::Trap;
use linnet_unwind::walk::link;
use linnet_unwind::{CalleeSaved, Landing, Position, Tables, Walk};

/// The tables of the kernel or a program.
pub fn tables(module: &'static Module) -> Tables<'static> {
    // SAFETY: a boot binary has no modules but what the translator emitted.
    unsafe { Tables::of(module) }
}

/// The trap that the instruction at `pc` raises.
pub fn trap(module: &'static Module, pc: u64) -> Option<Trap> {
    Trap::from_code(tables(module).find(pc, false)?.trap()?)
}

/// Frame pointer and return address of the caller of a frame of the runtime.
///
/// # Safety
/// `fp` must be the frame pointer of a live frame.
pub unsafe fn runtime_link(fp: u64) -> (u64, u64) {
    // SAFETY: the caller's promise.
    unsafe { link(fp.wrapping_add_signed(arch::RUNTIME_FRAME)) }
}

/// The libcall `throw`: find the handler of the exception in the context, and go there.
///
/// `saved` and `fp` are the callee-saved registers and the frame of the libcall's stub.
#[unsafe(export_name = "linnet_upcall_throw")]
extern "C" fn throw(context: *mut Context, saved: &CalleeSaved, fp: u64) -> ! {
    // SAFETY: only user code throws.
    let task = unsafe { Task::of_user(context) };
    let module = task.module.get().expect("user code has a module");
    let tables = tables(module);
    // SAFETY: the context belongs to the task that this is.
    let tag = unsafe { (*context).exception_tag } as u32;
    // SAFETY: `fp` is the frame of the stub that called this.
    let (fp, pc) = unsafe { runtime_link(fp) };
    let thrower = Activation::new(Interrupted::new(fp, pc, *saved, 0));
    let innermost = task.activation.get();
    let mut walk = Walk::from_call(Position { fp, pc, saved: *saved });
    loop {
        // SAFETY: all frames are live, up to those of the runtime that called user code.
        let landing = unsafe { walk.to_handler(tag, |pc, is_return| tables.find(pc, is_return)) };
        if let Some(landing) = landing {
            land(task, landing);
        }
        let fp = walk.position.fp;
        if !walk.is_return && fp != 0 {
            // A libcall that was interrupted keeps a frame of its own.
            // SAFETY: live frames, see `arch`.
            (walk.position.fp, walk.position.pc) = unsafe { runtime_link(fp) };
            walk.is_return = true;
            continue;
        }
        // SAFETY: activations lie in live frames of this stack.
        let Some(activation) = (unsafe { task.activation.get().as_ref() }) else { break };
        task.activation.set(activation.outer());
        let interrupted @ Interrupted { fp, pc, saved, .. } = activation.interrupted;
        if fp == 0 {
            break;
        }
        walk = Walk { position: Position { fp, pc, saved }, is_return: !interrupted.is_fault() };
    }
    task.activation.set(innermost);
    tell(task, module, thrower);
    uncaught()
}

/// Lets the program say what it thinks of an exception that nobody catches, above the frame that throws it.
fn tell(task: &Task, module: &Module, mut thrower: Activation) {
    if module.uncaught.is_null() {
        return;
    }
    // Whatever leaves the function finds its way through the frames of the thrower.
    thrower.push(&task.activation);
    // SAFETY: the translator emitted this entry with this type; this is the task's user stack.
    unsafe {
        let tell: extern "C" fn(*mut Context) = core::mem::transmute(module.uncaught);
        tell(task.user_context());
    }
    // That may have forked.
    let task = Task::current();
    // SAFETY: what the function has pushed is gone.
    unsafe { (*task.activation.get()).pop(&task.activation) };
}

/// Go where an exception is caught, and shorten the user stack, which this very function may run at the
/// end of.
fn land(task: &Task, landing: Landing) -> ! {
    extern "C" fn go(task: usize, landing: usize, _: usize) -> ! {
        // SAFETY: both were made below.
        let (task, landing) = unsafe { (&*(task as *const Task), &*(landing as *const Landing)) };
        task.drop_reserve();
        // SAFETY: the walk found it on the user stack, above the reserve.
        unsafe { landing.enter(0) }
    }
    if !task.has_left_reserve(landing.sp as usize) {
        // SAFETY: the walk found it on this stack.
        unsafe { landing.enter(0) }
    }
    let place = task.address() - size_of::<Landing>();
    // SAFETY: user code runs, so that its kernel stack is empty.
    unsafe {
        (place as *mut Landing).write(landing);
        arch::jump_to(place, go, task.address(), place, 0)
    }
}

/// Nobody catches: the program dies of it.
fn uncaught() -> ! {
    extern "C" fn call(task: &Task, signal: u64, code: u64) -> u64 {
        // SAFETY: on the task's kernel stack.
        unsafe { kernel::user_trap(task.kernel_context(), signal as u32, code as u32, 0) };
        0
    }
    let (signal, code) = Trap::UncaughtException.signal();
    loop {
        let task = Task::current();
        task.entry.set(Entry::Fault);
        // SAFETY: on the task's user stack; its kernel stack is empty.
        unsafe { arch::call_on_kernel_stack(task, call, u64::from(signal), u64::from(code)) };
        task.entry.set(Entry::Call);
        user::run_actions(task, 0, &Interrupted::bottom());
    }
}

/// Frames of kernel code from a frame pointer and return address outwards: function number and
/// offset of each.
pub fn trace(
    tables: Tables<'_>,
    task: &Task,
    mut fp: u64,
    mut pc: u64,
    mut is_return: bool,
    mut frame: impl FnMut(u32, u32) -> bool,
) {
    // A frame of the runtime has its two words below its frame pointer on some ISAs.
    let (top, bottom) = (task.address() as u64, task.kernel_stack_bottom() as u64 + 16);
    loop {
        let found = tables.find(pc, is_return);
        if let Some(place) = found
            && !frame(place.number as u32, place.offset)
        {
            return;
        }
        if !fp.is_multiple_of(8) || fp < bottom || fp + 16 > top {
            return;
        }
        // SAFETY: inside the task's kernel stack, which is mapped where frames lie.
        let next = unsafe { if found.is_some() { link(fp) } else { runtime_link(fp) } };
        if next.0 <= fp {
            // The outermost frame still has its return address.
            if let Some(place) = tables.find(next.1, true) {
                frame(place.number as u32, place.offset);
            }
            return;
        }
        (fp, pc) = next;
        is_return = true;
    }
}
