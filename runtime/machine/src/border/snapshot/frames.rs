//! Frames of a task: to records, and back.

use super::{HANDLER_WORDS, host_frame};
use crate::arch::head::{ChildRequest, FRAMES, TaskHead};
use crate::arch::{self, Activation, Handler, Interrupted, ThreadRequest};
use crate::border::unwind::{runtime_link, tables};
use crate::border::user;
use crate::memory::ram::Ram;
use crate::task::requests::Start;
use crate::task::{Entry, Task};
use linnet_abi::context::Context;
use linnet_frames::Error;
use linnet_frames::capture::{Host, HostFrame, capture};
use linnet_frames::rebuild::HostNode;
use linnet_frames::record::Record;
use linnet_frames::tables::Tables;
use linnet_unwind::Position;

/// Why a task's frames cannot be captured.
#[derive(Debug)]
pub enum Refused {
    /// Where it stands; it will stand elsewhere soon.
    Now,
    /// What it has done.
    Task(&'static str),
    /// Something that the translator or this file got wrong, or not enough memory.
    Frames(Error),
}

/// Memory to capture in.
pub struct Memory<'m> {
    pub out: &'m mut [u64],
    pub scratch: &'m mut [u64],
}

/// Where the kernel's code made the host call that the frame at `fp` belongs to.
///
/// # Safety
/// The frame must be one of the runtime, on a stack that does not run, above the stub of a host call.
unsafe fn host_call(mut fp: u64) -> Position {
    let kernel = tables(Ram::get().kernel);
    loop {
        // SAFETY: the caller's promise; the stub's frame is one of the runtime's, too.
        let (next, pc) = unsafe { runtime_link(fp) };
        if kernel.find(pc, true).is_some() {
            // SAFETY: only stubs and the runtime's own functions are called by the kernel, and captures
            // happen below these stubs.
            return Position { fp: next, pc, saved: unsafe { arch::saved_by_host_call(fp) } };
        }
        fp = next;
    }
}

/// The kernel's frames end where it was entered.
struct Entered(Position);

impl Host for Entered {
    fn below(&mut self, position: &Position) -> Option<HostFrame<'_>> {
        self.0 = *position;
        None
    }
}

/// Captures kernel frames from the frame at `fp` outwards: the words of the record, and where it was entered.
///
/// # Safety
/// As for [`host_call`].
pub unsafe fn capture_kernel(
    fp: u64,
    number: u32,
    memory: &mut Memory<'_>,
) -> Result<(usize, Position), Refused> {
    let kernel = Ram::get().kernel;
    let mut host = Entered(Position::default());
    // SAFETY: the translator emitted the kernel, and the caller promises the rest.
    let words = unsafe {
        let tables = Tables::of(kernel).map_err(Refused::Frames)?;
        let position = host_call(fp);
        capture(&tables, position, (number, &[]), &mut host, memory.out, memory.scratch)
    };
    Ok((words.map_err(Refused::Frames)?, host.0))
}

/// The frames of the runtime between those of a program.
struct Below {
    next: *const Activation,
    words: [u64; HANDLER_WORDS],
    refused: Option<Refused>,
}

impl Host for Below {
    fn below(&mut self, _: &Position) -> Option<HostFrame<'_>> {
        // SAFETY: activations lie in live frames of this stack.
        let activation = unsafe { self.next.as_ref() }?;
        match words(activation) {
            Ok(words) => self.words = words,
            Err(refused) => {
                self.refused = Some(refused);
                return None;
            }
        }
        self.next = activation.previous;
        let Interrupted { fp, pc, saved, .. } = activation.interrupted;
        let position = Position { fp, pc, saved };
        Some(HostFrame { number: host_frame::HANDLER, words: &self.words, position })
    }
}

/// What is needed when the handler on top of an activation has returned.
fn words(activation: &Activation) -> Result<[u64; HANDLER_WORDS], Refused> {
    if activation.interrupted.is_fault() {
        return Err(Refused::Task("handles a fault"));
    }
    if activation.interrupted.pc == 0 {
        return Err(Refused::Now);
    }
    let Some(Handler { ucontext, sp, child }) = activation.handler else {
        return Err(Refused::Now);
    };
    if child.kind == FRAMES {
        return Err(Refused::Now);
    }
    let ThreadRequest { function, argument, stack, flags, tls } = child.thread;
    let thread = [function, argument, stack, flags, tls].map(u64::from);
    let [function, argument, stack, flags, tls] = thread;
    let kind = u64::from(child.kind);
    Ok([u64::from(ucontext), sp, kind, function, argument, stack, flags, tls])
}

/// The handler that these words tell of.
fn handler(words: &[u64]) -> Option<Handler> {
    let [ucontext, sp, kind, function, argument, stack, flags, tls] = *words.as_array()?;
    let [function, argument, stack, flags, tls] =
        [function, argument, stack, flags, tls].map(|word| word as u32);
    let thread = ThreadRequest { function, argument, stack, flags, tls };
    // Nobody copies frames that are not there any more.
    let kind = if kind as u32 == FRAMES { 0 } else { kind as u32 };
    let child = ChildRequest { kind, frames: 0, thread };
    Some(Handler { ucontext: ucontext as u32, sp, child })
}

/// Captures the frames of a task's program; the words of the record. `entered` is where the kernel was entered,
/// if it was.
///
/// # Safety
/// The task must not run, but for the caller.
pub unsafe fn capture_user(
    task: &Task,
    entered: Option<Position>,
    memory: &mut Memory<'_>,
) -> Result<usize, Refused> {
    let Some(module) = task.module.get() else { return Ok(0) };
    // SAFETY: the translator emitted it.
    let tables = unsafe { Tables::of(module) }.map_err(Refused::Frames)?;
    if task.ucontexts.is_mapped() {
        return Err(Refused::Task("uses contexts of its own (makecontext)"));
    }
    let mut below = Below { next: task.activation.get(), words: [0; HANDLER_WORDS], refused: None };
    let mut own = [0; 1 + HANDLER_WORDS];
    let mut count = 1;
    let mut entry = task.entry.get();
    let sp = task.user_sp.get();
    let position = match (entry, entered) {
        // SAFETY: a fork has left the copy of such a frame.
        (Entry::New | Entry::Task, _) => unsafe {
            entry = Entry::New;
            arch::user_call_for_frames(sp)
        },
        // SAFETY: the stub that has entered the kernel has left its frame there.
        (Entry::Call, Some(_)) if task.copies_frames() => unsafe { arch::user_call_for_frames(sp) },
        // SAFETY: as above.
        (Entry::Call, Some(Position { saved, .. })) => unsafe { arch::user_call(sp, saved) },
        (Entry::Poll | Entry::Sigreturn | Entry::CallAgain, _) => {
            // SAFETY: activations lie in live frames of this stack.
            let activation = unsafe { task.activation.get().as_ref() }.ok_or(Refused::Now)?;
            if entry == Entry::Sigreturn {
                own[1..].copy_from_slice(&words(activation)?);
                count = own.len();
            } else if activation.interrupted.pc == 0 {
                return Err(Refused::Now);
            }
            below.next = activation.previous;
            let Interrupted { fp, pc, saved, .. } = activation.interrupted;
            Position { fp, pc, saved }
        }
        _ => return Err(Refused::Now),
    };
    own[0] = match entry {
        Entry::CallAgain => Entry::Call as u64,
        entry => entry as u64,
    };
    let own = (host_frame::KERNEL, &own[..count]);
    // SAFETY: the caller's promise.
    let words = unsafe { capture(&tables, position, own, &mut below, memory.out, memory.scratch) };
    match below.refused {
        Some(refused) => Err(refused),
        None => words.map_err(Refused::Frames),
    }
}

/// Can the runtime go on with all of its frames in a record, of the kernel or of a program?
pub fn are_known(record: &Record<'_>, of_kernel: bool) -> bool {
    let last = record.count().wrapping_sub(1);
    (0..).zip(record.frames()).filter(|(_, frame)| frame.function.is_none()).all(|(n, frame)| {
        let words = frame.words().len();
        let is_sigreturn = frame.words().next() == Some(Entry::Sigreturn as u64);
        match frame.point {
            host_frame::SWITCH_TO | host_frame::SNAPSHOT => of_kernel && n == last,
            host_frame::KERNEL if is_sigreturn => {
                !of_kernel && n == last && words == 1 + HANDLER_WORDS
            }
            host_frame::KERNEL => !of_kernel && n == last && words == 1,
            host_frame::HANDLER => !of_kernel && n != last && words == HANDLER_WORDS,
            _ => false,
        }
    })
}

/// The innermost kernel frame goes on: what the host call gives.
pub unsafe extern "C" fn go_on_in_kernel(
    context: *mut Context,
    frame: &HostNode,
    _: &Position,
) -> u64 {
    // SAFETY: a plan of the kernel runs with the kernel's context.
    let task = unsafe { Task::of_kernel(context) };
    task.resumed_kernel.set(None);
    match frame.number() {
        host_frame::SWITCH_TO => u64::from(task.previous.get()),
        host_frame::SNAPSHOT => 1,
        _ => 0,
    }
}

/// Rebuild the kernel's frames on the task's kernel stack, and let them run to their end. What they give.
pub fn run_kernel(task: &Task) -> u64 {
    // A child that was to go on in copied frames has none in the kernel.
    let Some(resumed) = task.resumed_kernel.get() else { return 0 };
    // SAFETY: the plan is one of the kernel, and this is the task's empty kernel stack.
    unsafe { resumed.plan.run(task.kernel_context()) }.integer
}

/// A frame of the runtime goes on, between the frames of a program or above them.
pub unsafe extern "C" fn go_on_in_user(
    context: *mut Context,
    frame: &HostNode,
    position: &Position,
) -> u64 {
    extern "C" fn call(task: &TaskHead) -> u64 {
        let context = task.kernel.get();
        // SAFETY: the head of a task.
        run_kernel(unsafe { Task::of_kernel(context) })
    }
    extern "C" fn enter(task: &Task, _: u64, _: u64) -> u64 {
        run_kernel(task)
    }
    // SAFETY: a plan of a program runs with its task's context.
    let task = unsafe { Task::of_user(context) };
    let mut activation = Activation::new(Interrupted::at_call(position));
    let words = frame.words();
    if frame.number() == host_frame::HANDLER {
        activation.handler = handler(words);
        return user::on_top_of(task, activation, || {
            // SAFETY: it is not the innermost, and entered once.
            unsafe { frame.enter(context) };
            let (result, child) = user::leave_handler();
            user::carry_out_here(result, child)
        })
        .0;
    }
    let entry = words.first().and_then(|word| Entry::from_number(*word as u32));
    if entry == Some(Entry::Sigreturn) {
        activation.handler = words.get(1..).and_then(handler);
    }
    task.resumed_user.set(None);
    user::on_top_of(task, activation, || {
        let result = match entry {
            Some(Entry::New) => 0,
            Some(Entry::Call) => {
                task.entry.set(Entry::CallAgain);
                // SAFETY: on the task's user stack; its kernel stack is empty.
                unsafe { arch::call_for_frames(context, call) }
            }
            other => {
                task.entry.set(other.unwrap_or(Entry::Fault));
                // SAFETY: as above.
                unsafe { arch::call_on_kernel_stack(task, enter, 0, 0) }
            }
        };
        let task = Task::current();
        task.entry.set(Entry::Call);
        let child = task.take_child_request();
        user::carry_out_here(result, child)
    })
    .0
}

/// Where a task goes on that a snapshot has.
pub extern "C" fn begin(task: &'static Task) -> ! {
    crate::cpu::switch::poll_for_interrupts(task);
    match task.entry.get() {
        Entry::New => user::first(task),
        Entry::Task | Entry::End => {
            run_kernel(task);
            user::kernel_returned()
        }
        _ if task.resumed_user.get().is_some() => user::resume(task),
        _ => {
            run_kernel(task);
            user::carry_out_exec(task)
        }
    }
}

/// How a task begins in user mode, as a number and back.
pub fn start_number(start: Start) -> u64 {
    match start {
        Start::Program => 0,
        Start::Forked | Start::Resumed => 1,
        Start::Thread => 2,
    }
}

/// The same back.
pub fn start_of(number: u64) -> Option<Start> {
    [Start::Program, Start::Resumed, Start::Thread].get(number as usize).copied()
}
