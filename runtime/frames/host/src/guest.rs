//! The module's world.
//!
//! `linux.syscall(nr, a0, a1, ...)`:
//!
//! | nr | what it does                                                            |
//! |----|-------------------------------------------------------------------------|
//! | 0  | gives a number that depends on `a0`                                     |
//! | 1  | notes `a0`                                                              |
//! | 2  | calls table entry `a0`, of type (i32) -> i32, with `a1`, and gives what |
//! |    | that does, and a bit more                                               |

use crate::{Out, fail, snapshot, sys};
use core::cell::{Cell, UnsafeCell};
use core::fmt::Write;
use core::ptr;
use linnet_abi::context::Context;
use linnet_abi::module::Module;
use linnet_frames::capture::{Host, HostFrame};
use linnet_frames::rebuild::HostNode;
use linnet_frames::tables::Tables;
use linnet_unwind::Position;

unsafe extern "C" {
    /// What the translator emitted.
    safe static linnet_module_guest: Module;
}

/// Bytes of the module's memory.
pub const MEMORY: usize = 1 << 17;

/// Numbers of host frames.
const CALLBACK: u32 = 2;
const WAIT: u32 = 3;
const POLL: u32 = 4;

/// What the host keeps of a run, besides globals and memory.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct State {
    pub events: u64,
    pub noted: u64,
}

/// A wish at an event.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Snapshot(&'static str),
    Time,
}

pub struct World {
    pub memory: Cell<*mut u8>,
    pub state: Cell<State>,
    wishes: UnsafeCell<[Option<(u64, Wish)>; 16]>,
    /// Calls of the host that called the module, the innermost first.
    callbacks: Cell<*const Callback>,
}

// SAFETY: there is one thread.
unsafe impl Sync for World {}

/// A call of the host that called the module.
#[derive(Debug)]
pub struct Callback {
    position: Position,
    outer: *const Callback,
}

pub static WORLD: World = World {
    memory: Cell::new(ptr::null_mut()),
    state: Cell::new(State { events: 0, noted: 0 }),
    wishes: UnsafeCell::new([None; 16]),
    callbacks: Cell::new(ptr::null()),
};

pub fn module() -> &'static Module {
    &linnet_module_guest
}

pub fn tables() -> Tables<'static> {
    // SAFETY: the translator emitted it.
    unsafe { Tables::of(module()) }.unwrap_or_else(|e| fail(format_args!("{e}")))
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| fail(format_args!("{text} is no number")))
}

/// Does what the arguments say.
pub fn run(mut arguments: impl Iterator<Item = &'static str>) -> ! {
    let memory = sys::memory(MEMORY);
    WORLD.memory.set(memory.as_mut_ptr());
    let module = module();
    let mut context = Context { heap_base: memory.as_ptr() as u64, poll: 1, ..Context::EMPTY };
    // SAFETY: the translator emitted that many.
    let globals =
        unsafe { core::slice::from_raw_parts(module.globals, module.global_count as usize) };
    context.globals[..globals.len()].copy_from_slice(globals);
    let mut from = None;
    let mut count = 0;
    while let Some(word) = arguments.next() {
        let mut argument = || arguments.next().unwrap_or_default();
        // SAFETY: nothing of the module runs yet.
        let wishes = unsafe { &mut *WORLD.wishes.get() };
        match word {
            "run" => {}
            "quiet" => context.poll = 0,
            "resume" => from = Some(argument()),
            "damage" => {
                let file = argument();
                snapshot::damage(file, number(argument()));
            }
            "at" | "time" => {
                let event = number(argument());
                let wish = if word == "at" { Wish::Snapshot(argument()) } else { Wish::Time };
                wishes[count] = Some((event, wish));
                count += 1;
            }
            other => fail(format_args!("{other}?")),
        }
    }
    // SAFETY: nothing of the module runs yet.
    unsafe { *sys::context() = context };
    let started = sys::now();
    match from {
        Some(file) => snapshot::resume(file),
        None => {
            // SAFETY: the translator says what its entry is.
            let entry: unsafe extern "C" fn(*mut Context) =
                unsafe { core::mem::transmute(module.start) };
            // SAFETY: the context and the memory are the module's.
            unsafe { entry(sys::context()) };
        }
    }
    end("end", started)
}

/// Tells in what state the module ended.
pub fn end(how: &str, started: u64) -> ! {
    let state = WORLD.state.get();
    let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x100_0000_01b3).rotate_left(23);
    // SAFETY: the module does not run any more.
    let globals = unsafe { (*sys::context()).globals };
    let globals = globals.into_iter().fold(0, mix);
    // SAFETY: as above.
    let memory = unsafe { core::slice::from_raw_parts(WORLD.memory.get(), MEMORY) };
    let memory = memory.iter().fold(0, |sum, byte| mix(sum, u64::from(*byte)));
    let State { events, noted } = state;
    let _ = writeln!(Out(1), "{how} {noted:x} {globals:x} {memory:x} {events}");
    if started != 0 {
        let _ = writeln!(Out(2), "{} ns", sys::now() - started);
    }
    sys::exit(0)
}

/// Something that the module asked for, or a loop head. `number` and `words` are what goes on there.
fn event(number: u32, words: &[u64], position: &Position) {
    let mut state = WORLD.state.get();
    state.events += 1;
    WORLD.state.set(state);
    // SAFETY: written before the module ran.
    let wishes = unsafe { &*WORLD.wishes.get() };
    for (_, wish) in wishes.iter().flatten().filter(|(event, _)| *event == state.events) {
        let mut stack = Stack { below: WORLD.callbacks.get() };
        match wish {
            Wish::Snapshot(file) => snapshot::write(file, *position, (number, words), &mut stack),
            Wish::Time => snapshot::time(*position, (number, words), stack.below),
        }
    }
}

/// The host's frames from some callback on.
pub struct Stack {
    pub below: *const Callback,
}

impl Host for Stack {
    fn below(&mut self, _: &Position) -> Option<HostFrame<'_>> {
        // SAFETY: callbacks lie in live frames.
        let callback = unsafe { self.below.as_ref() }?;
        self.below = callback.outer;
        Some(HostFrame { number: CALLBACK, words: &[], position: callback.position })
    }
}

/// The import.
pub extern "C" fn host_call(
    context: *mut Context,
    nr: u32,
    a0: u64,
    a1: u64,
    position: &Position,
) -> u64 {
    match nr {
        0 => {
            let result = a0.wrapping_mul(31).wrapping_add(7);
            event(0, &[result], position);
            result
        }
        1 => {
            note(a0);
            event(0, &[0], position);
            0
        }
        2 => {
            let callback = Callback { position: *position, outer: WORLD.callbacks.get() };
            WORLD.callbacks.set(&callback);
            // SAFETY: the translator says what its entry is.
            let entry: unsafe extern "C" fn(*mut Context, u32, u32) -> u32 =
                unsafe { core::mem::transmute(module().call_thread) };
            // SAFETY: the entry checks what it is asked for.
            let result = unsafe { entry(context, a0 as u32, a1 as u32) };
            WORLD.callbacks.set(callback.outer);
            after_callback(result)
        }
        _ => fail(format_args!("the module calls for {nr}")),
    }
}

fn note(value: u64) {
    let mut state = WORLD.state.get();
    state.noted = (state.noted ^ value).wrapping_mul(0x100_0000_01b3).rotate_left(23);
    WORLD.state.set(state);
}

fn after_callback(result: u32) -> u64 {
    note(u64::from(result));
    u64::from(result ^ 0x55)
}

/// `memory.atomic.wait32`, of a word that nobody else changes.
pub extern "C" fn wait32(
    _: *mut Context,
    address: *const u32,
    expected: u32,
    _: u64,
    position: &Position,
) -> u64 {
    // SAFETY: translated code gives addresses of its memory.
    let result = if unsafe { *address } == expected { 2 } else { 1 };
    event(WAIT, &[result], position);
    result
}

/// A loop head that asks.
pub extern "C" fn poll(_: *mut Context, position: &Position) {
    event(POLL, &[0], position);
}

/// A host frame that goes on.
pub unsafe extern "C" fn resume_frame(
    context: *mut Context,
    frame: &HostNode,
    position: &Position,
) -> u64 {
    if frame.number() != CALLBACK {
        return frame.words().first().copied().unwrap_or(0);
    }
    if !frame.has_inner() {
        fail(format_args!("a callback that called nothing"));
    }
    let callback = Callback { position: *position, outer: WORLD.callbacks.get() };
    WORLD.callbacks.set(&callback);
    // SAFETY: there is one, and it is entered once.
    let bits = unsafe { frame.enter(context) };
    WORLD.callbacks.set(callback.outer);
    after_callback(bits.integer as u32)
}
