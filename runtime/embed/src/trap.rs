//! Traps: host signals that translated code causes, and the way out of it.
//!
//! Nothing in the handler allocates or locks. It finds out what happened, notes it in the
//! [`Activation`] of the call, and makes the thread go on at the end of that call. Only frames of
//! translated code are left like this.

use crate::arch::{self, Frame};
use crate::host;
use crate::modules;
use crate::prelude::*;
use crate::store::{Inner, Store};
use alloc::rc::Rc;
use core::fmt::{self, Display, Formatter};
use core::mem::MaybeUninit;
use linnet_abi::instance::{Slot, trap_message};
use linnet_abi::trap::Trap as Code;
use linnet_unwind::walk::link;

/// A call from the host into translated code.
#[repr(C)]
pub(crate) struct Activation {
    /// First, for the assembly: where [`arch::enter`] saved its registers.
    sp: u64,
    previous: *mut Activation,
    store: *const Inner,
    exception: u64,
    trap: u8,
    /// Whether the first of the frames is at a call, as all others are.
    is_at_call: bool,
    frame_count: usize,
    /// Program counters, innermost first. Those before the count are set.
    frames: [MaybeUninit<u64>; MAX_FRAMES],
}

const MAX_FRAMES: usize = 64;

/// What [`arch::enter`] returns.
const RETURNED: u64 = 0;
const TRAPPED: u64 = 1;

/// How a call ended that did not return.
pub(crate) enum Ending {
    Trap(Trap),
    /// Address of the exception.
    Exception(u64),
}

/// A frame of translated code, or of the host between two of its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrapFrame {
    /// Index in the wasm function space, or one of the two below.
    pub function: u32,
    /// Name from the module; empty if it has none.
    pub name: &'static str,
    /// Offset of the operator in the WebAssembly file; none in code that the translator added.
    pub offset: Option<u32>,
}

impl TrapFrame {
    /// In place of a function's index: the initialisation of an instance.
    pub const INITIALIZATION: u32 = u32::MAX;
    /// In place of a function's index: a function of the host, which made the call that the frames before are of.
    pub const HOST: u32 = u32::MAX - 1;
}

/// Why translated code stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    code: u8,
    frames: Vec<TrapFrame>,
}

impl Trap {
    pub(crate) fn new(code: u8) -> Trap {
        Trap { code, frames: Vec::new() }
    }

    /// `linnet_abi::trap::Trap` or `linnet_abi::instance::MoreTrap` as a number.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// What the specification's test suite says for it.
    #[must_use]
    pub fn message(&self) -> &'static str {
        trap_message(self.code)
    }

    /// Where it happened, innermost first; of each call from the host at most 64 frames.
    #[must_use]
    pub fn frames(&self) -> &[TrapFrame] {
        &self.frames
    }

    /// The same trap in a call that a function of the host made, which ended therefore.
    pub(crate) fn within(mut self, outer: Trap) -> Trap {
        let host = TrapFrame { function: TrapFrame::HOST, name: "", offset: None };
        self.frames.push(host);
        self.frames.extend(outer.frames);
        self
    }
}

impl Display for Trap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        for frame in &self.frames {
            match frame.function {
                TrapFrame::INITIALIZATION => {
                    f.write_str("\n  in the initialisation of an instance")?;
                    continue;
                }
                TrapFrame::HOST => {
                    f.write_str("\n  in a function of the host")?;
                    continue;
                }
                _ => {}
            }
            write!(f, "\n  in function {}", frame.function)?;
            if !frame.name.is_empty() {
                write!(f, " {:?}", frame.name)?;
            }
            if let Some(offset) = frame.offset {
                write!(f, ", offset {offset:#x}")?;
            }
        }
        Ok(())
    }
}

/// Calls `code` by way of `enter`.
///
/// # Safety
/// `code` must be a function of translated code of that store, of the type that `enter` is for, `context` what it
/// takes first, and `values` as long as parameters and results need.
pub(crate) unsafe fn call_code(
    store: &Store,
    enter: *const u8,
    context: *mut u8,
    code: *const u8,
    values: *mut Slot,
) -> Result<(), Ending> {
    host::thread(|thread| {
        if !thread.is_ready.get() {
            host::install(on_signal);
            host::prepare_thread(thread);
            thread.is_ready.set(true);
        }
        if is_below(thread.stack_limit.get()) {
            return Err(Ending::Trap(Trap::new(Code::StackOverflow as u8)));
        }
        let previous = thread.current.get();
        let mut activation = Activation {
            sp: 0,
            previous,
            store: Rc::as_ptr(&store.0),
            exception: 0,
            trap: 0,
            is_at_call: false,
            frame_count: 0,
            frames: [const { MaybeUninit::uninit() }; MAX_FRAMES],
        };
        let current = &raw mut activation;
        thread.current.set(current);
        // SAFETY: the caller's promise. A trap leaves only frames of translated code behind.
        let status = unsafe { arch::enter(current, enter, context, code, values) };
        thread.current.set(previous);
        match status {
            RETURNED => Ok(()),
            TRAPPED => Err(Ending::Trap(activation.trap())),
            _ => Err(Ending::Exception(activation.exception)),
        }
    })
}

/// Whether code of the store runs on this thread, or waits for a function of the host.
pub(crate) fn is_active(store: &Store) -> bool {
    let mut next = current();
    // SAFETY: activations on this thread's stack, as long as they run.
    while let Some(activation) = unsafe { next.as_ref() } {
        if activation.store == Rc::as_ptr(&store.0) {
            return true;
        }
        next = activation.previous;
    }
    false
}

impl Activation {
    fn trap(&self) -> Trap {
        let frames = self.frames[..self.frame_count].iter().enumerate();
        let frames = frames.filter_map(|(i, pc)| {
            // SAFETY: those before the count are set.
            let place = modules::find(unsafe { pc.assume_init() }, self.is_at_call || i != 0)?;
            // Of the code that the translator added, this is the only one that is no bridge to the host.
            let is_shown = place.function.index != u32::MAX || place.name() == "linnet.initialize";
            is_shown.then(|| TrapFrame {
                function: place.function.index,
                name: place.name(),
                offset: modules::wasm_offset(&place),
            })
        });
        Trap { code: self.trap, frames: frames.collect() }
    }

    /// Notes the frames from a program counter outwards.
    fn trace(&mut self, mut pc: u64, is_at_call: bool, mut fp: u64, mut sp: u64) {
        self.frame_count = 0;
        self.is_at_call = is_at_call;
        while self.frame_count < MAX_FRAMES
            && modules::find(pc, is_at_call || self.frame_count != 0).is_some()
        {
            self.frames[self.frame_count].write(pc);
            self.frame_count += 1;
            // Outside of this range nothing is known to be mapped.
            if !fp.is_multiple_of(8) || fp < sp || fp + 16 > self.sp {
                return;
            }
            sp = fp;
            // SAFETY: a frame of translated code, below that of the call.
            (fp, pc) = unsafe { link(fp) };
        }
    }
}

/// Ends the innermost call with a trap at the call that `fp` is the callee's frame of, which begins as those of
/// translated code do. Nothing of ours on the stack may need to be dropped.
pub(crate) fn raise_behind(code: u8, fp: u64) -> ! {
    // SAFETY: only translated code's callees come here, so there is a call, and their frames are live.
    let ((fp, pc), activation) = unsafe { (link(fp), &mut *current()) };
    activation.trace(pc, true, fp, fp);
    raise(code)
}

/// Ends the innermost call with a trap. Nothing of ours on the stack may need to be dropped.
pub(crate) fn raise(code: u8) -> ! {
    // SAFETY: only translated code's callees come here, so there is a call.
    let activation = unsafe { &mut *current() };
    activation.trap = code;
    // SAFETY: the call is live.
    unsafe { arch::leave(activation.sp, TRAPPED) }
}

/// Ends the innermost call with an exception that nothing in it catches.
pub(crate) fn raise_exception(exception: u64) -> ! {
    // SAFETY: as above.
    let activation = unsafe { &mut *current() };
    activation.exception = exception;
    // SAFETY: the call is live.
    unsafe { arch::leave(activation.sp, 2) }
}

/// Stack that a call of the host needs at least.
const HOST_STACK: u64 = 96 << 10;

/// Whether too little of a stack that ends there is left for the host's code.
fn is_below(limit: u64) -> bool {
    arch::stack_pointer() < limit.saturating_add(HOST_STACK)
}

/// Ends the call if too little stack is left for what the host does for translated code. Only for a function that
/// translated code calls, and only first in it: nothing on the stack may need to be dropped.
pub fn check_stack() {
    if is_below(stack_limit()) {
        raise(Code::StackOverflow as u8);
    }
}

fn current() -> *mut Activation {
    host::thread(|thread| thread.current.get())
}

fn stack_limit() -> u64 {
    host::thread(|thread| thread.stack_limit.get())
}

/// The handler of signals that can be traps. Says whether this one was.
fn on_signal(signal: i32, address: u64, uc: usize) -> bool {
    // SAFETY: the host passed the frame.
    let frame = unsafe { Frame::new(uc) };
    let current = host::thread(|thread| thread.current.get());
    if !current.is_null()
        // SAFETY: the call is live, and so is its store.
        && let Some(code) = cause(signal, address, frame, unsafe { &*(*current).store })
    {
        // SAFETY: the call is live: translated code runs in it.
        let activation = unsafe { &mut *current };
        activation.trap = code;
        activation.trace(frame.pc(), false, frame.fp(), frame.sp());
        frame.leave(activation.sp, TRAPPED);
        return true;
    }
    false
}

/// Code of the trap that a signal is; none if translated code did not cause it.
fn cause(signal: i32, address: u64, frame: Frame, store: &Inner) -> Option<u8> {
    let place = modules::find(frame.pc(), false)?;
    if signal == host::SIGSEGV || signal == host::SIGBUS {
        if store.is_in_memory(address) {
            return Some(Code::MemoryOutOfBounds as u8);
        }
        let (sp, limit) = (frame.sp(), stack_limit());
        let is_stack =
            address < sp.max(limit) + 4096 && address > limit.min(sp).saturating_sub(1 << 20);
        return is_stack.then_some(Code::StackOverflow as u8);
    }
    place.trap()
}
