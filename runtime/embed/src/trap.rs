//! Traps: host signals that translated code causes, and the way out of it.
//!
//! Nothing in the handler allocates or locks. It finds out what happened, notes it in the
//! [`Activation`] of the call, and makes the thread go on at the end of that call. Only frames of
//! translated code are left like this.

use crate::arch::{self, Frame};
use crate::modules;
use crate::reservation;
use linnet_abi::instance::{FuncRef, Slot, trap_message};
use linnet_abi::trap::Trap as Code;
use linnet_unwind::walk::link;
use std::cell::Cell;
use std::fmt::{self, Display, Formatter};
use std::ptr;
use std::sync::Once;

/// A call from the host into translated code.
#[repr(C)]
pub(crate) struct Activation {
    /// First, for the assembly: where [`arch::enter`] saved its registers.
    sp: u64,
    previous: *const Activation,
    trap: u8,
    frame_count: usize,
    /// Program counters, innermost first; all but the first are return addresses.
    frames: [u64; MAX_FRAMES],
    exception: u64,
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

thread_local! {
    static CURRENT: Cell<*mut Activation> = const { Cell::new(ptr::null_mut()) };
    /// Lowest address that the thread's stack may reach; 0: not known yet.
    static STACK_LIMIT: Cell<u64> = const { Cell::new(0) };
}

/// A frame of translated code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrapFrame {
    /// Index in the wasm function space; `u32::MAX`: it is the initialisation of an instance.
    pub function: u32,
    /// Name from the module; empty if it has none.
    pub name: &'static str,
    /// Offset of the operator in the WebAssembly file; none in code that the translator added.
    pub offset: Option<u32>,
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

    /// Where it happened, innermost first; at most 64 frames.
    #[must_use]
    pub fn frames(&self) -> &[TrapFrame] {
        &self.frames
    }
}

impl Display for Trap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())?;
        for frame in &self.frames {
            if frame.function == u32::MAX {
                f.write_str("\n  in the initialisation of an instance")?;
                continue;
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

/// Calls a function of translated code.
///
/// # Safety
/// `function` must be live, of a type that has an `enter`, and `values` as long as parameters and results
/// need.
pub(crate) unsafe fn call(
    enter: *const u8,
    function: &FuncRef,
    values: *mut Slot,
) -> Result<(), Ending> {
    // SAFETY: the caller's promise.
    unsafe { call_code(enter, function.context, function.code, values) }
}

/// The same of code and context.
///
/// # Safety
/// As of [`call`].
pub(crate) unsafe fn call_code(
    enter: *const u8,
    context: *mut u8,
    code: *const u8,
    values: *mut Slot,
) -> Result<(), Ending> {
    prepare_thread();
    if is_stack_low() {
        return Err(Ending::Trap(Trap::new(Code::StackOverflow as u8)));
    }
    let previous = CURRENT.get();
    let mut activation = Activation {
        sp: 0,
        previous,
        trap: 0,
        frame_count: 0,
        frames: [0; MAX_FRAMES],
        exception: 0,
    };
    let current = &raw mut activation;
    CURRENT.set(current);
    // SAFETY: the caller's promise. A trap leaves only frames of translated code behind.
    let status = unsafe { arch::enter(current, enter, context, code, values) };
    CURRENT.set(previous);
    match status {
        RETURNED => Ok(()),
        TRAPPED => Err(Ending::Trap(activation.trap())),
        _ => Err(Ending::Exception(activation.exception)),
    }
}

impl Activation {
    fn trap(&self) -> Trap {
        let frames = self.frames[..self.frame_count].iter().enumerate();
        let frames = frames.filter_map(|(i, pc)| {
            let place = modules::find(*pc, i != 0)?;
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
    fn trace(&mut self, mut pc: u64, mut fp: u64, mut sp: u64) {
        self.frame_count = 0;
        while self.frame_count < MAX_FRAMES && modules::find(pc, self.frame_count != 0).is_some() {
            self.frames[self.frame_count] = pc;
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

/// Ends the innermost call with a trap. Nothing of ours on the stack may need to be dropped.
pub(crate) fn raise(code: u8) -> ! {
    // SAFETY: only translated code's callees come here, so there is a call.
    let activation = unsafe { &mut *CURRENT.get() };
    activation.trap = code;
    // SAFETY: the call is live.
    unsafe { arch::leave(activation.sp, TRAPPED) }
}

/// Ends the innermost call with an exception that nothing in it catches.
pub(crate) fn raise_exception(exception: u64) -> ! {
    // SAFETY: as above.
    let activation = unsafe { &mut *CURRENT.get() };
    activation.exception = exception;
    // SAFETY: the call is live.
    unsafe { arch::leave(activation.sp, 2) }
}

/// Stack that a call of the host needs at least.
const HOST_STACK: u64 = 96 << 10;

/// Whether too little of the thread's stack is left for the host's code.
pub(crate) fn is_stack_low() -> bool {
    arch::stack_pointer() < STACK_LIMIT.get().saturating_add(HOST_STACK)
}

/// Ends the call if too little stack is left for what the host does for translated code.
pub(crate) fn check_stack() {
    if is_stack_low() {
        raise(Code::StackOverflow as u8);
    }
}

fn prepare_thread() {
    static SIGNALS: Once = Once::new();
    SIGNALS.call_once(install);
    if STACK_LIMIT.get() == 0 {
        ensure_signal_stack();
        STACK_LIMIT.set(stack_limit().max(1));
    }
}

/// A handler that runs on the exhausted stack would fault itself.
fn ensure_signal_stack() {
    // SAFETY: queries and sets this thread's signal stack; a new one is never unmapped.
    unsafe {
        let mut current: libc::stack_t = std::mem::zeroed();
        if libc::sigaltstack(ptr::null(), &raw mut current) == 0
            && current.ss_flags & libc::SS_DISABLE == 0
            && current.ss_size >= SIGNAL_STACK / 4
        {
            return;
        }
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let stack = libc::mmap(ptr::null_mut(), SIGNAL_STACK, protection, flags, -1, 0);
        if stack == libc::MAP_FAILED {
            return;
        }
        let new = libc::stack_t { ss_sp: stack, ss_flags: 0, ss_size: SIGNAL_STACK };
        libc::sigaltstack(&raw const new, ptr::null_mut());
    }
}

const SIGNAL_STACK: usize = 64 << 10;

/// Lowest address of this thread's stack.
fn stack_limit() -> u64 {
    // SAFETY: plain queries.
    let is_main = unsafe { libc::getpid() == libc::syscall(libc::SYS_gettid) as i32 };
    if is_main {
        // The first thread's stack grows: what is mapped of it now says nothing.
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // Field 28 (proc(5)); the second one, in parentheses, may hold spaces.
        let start = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(25));
        let start = start.and_then(|s| s.parse::<u64>().ok()).filter(|s| *s != 0);
        let start = start.unwrap_or_else(arch::stack_pointer);
        // SAFETY: fills a structure.
        let limit = unsafe {
            let mut limit: libc::rlimit = std::mem::zeroed();
            libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit);
            limit.rlim_cur
        };
        // Without a limit the kernel leaves room for some, and other things lie below.
        return start.saturating_sub((limit as u64).min(8 << 20));
    }
    // SAFETY: queries this thread's attributes and frees them.
    unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes) != 0 {
            return 0;
        }
        let (mut address, mut size) = (ptr::null_mut(), 0);
        libc::pthread_attr_getstack(&raw const attributes, &raw mut address, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attributes);
        address as u64
    }
}

const SIGNALS: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];

/// What handled the signals before.
static mut OLD: [Option<libc::sigaction>; SIGNALS.len()] = [None; SIGNALS.len()];

fn install() {
    for (i, signal) in SIGNALS.into_iter().enumerate() {
        // SAFETY: the handler may run at any point; `OLD` is written once, before it can be read.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let mut old: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            libc::sigemptyset(&raw mut action.sa_mask);
            if libc::sigaction(signal, ptr::null(), &raw mut old) == 0 {
                OLD[i] = Some(old);
            }
            libc::sigaction(signal, &raw const action, ptr::null_mut());
        }
    }
}

extern "C" fn on_signal(signal: i32, info: *mut libc::siginfo_t, uc: *mut libc::c_void) {
    // SAFETY: the host passed the frame.
    let frame = unsafe { Frame::new(uc as usize) };
    // SAFETY: as above; for other signals the field is not looked at.
    let address = unsafe { (*info).si_addr() } as u64;
    let current = CURRENT.get();
    if !current.is_null()
        && let Some(code) = cause(signal, address, frame)
    {
        // SAFETY: the call is live: translated code runs in it.
        let activation = unsafe { &mut *current };
        activation.trap = code;
        activation.trace(frame.pc(), frame.fp(), frame.sp());
        frame.leave(activation.sp, TRAPPED);
        return;
    }
    pass_on(signal, info, uc);
}

/// Code of the trap that a signal is; none if translated code did not cause it.
fn cause(signal: i32, address: u64, frame: Frame) -> Option<u8> {
    let place = modules::find(frame.pc(), false)?;
    if signal == libc::SIGSEGV || signal == libc::SIGBUS {
        if reservation::contains(address) {
            return Some(Code::MemoryOutOfBounds as u8);
        }
        let (sp, limit) = (frame.sp(), STACK_LIMIT.get());
        let is_stack =
            address < sp.max(limit) + 4096 && address > limit.min(sp).saturating_sub(1 << 20);
        return is_stack.then_some(Code::StackOverflow as u8);
    }
    place.trap()
}

/// Not ours: whoever handled the signal before gets it, or it ends the process.
fn pass_on(signal: i32, info: *mut libc::siginfo_t, uc: *mut libc::c_void) {
    let number = SIGNALS.iter().position(|s| *s == signal);
    // SAFETY: `OLD` was written before the handler could run.
    let old = number.and_then(|n| unsafe { OLD[n] });
    // SAFETY: calls what the process had installed, the way it asked for.
    unsafe {
        match old {
            Some(old) if old.sa_sigaction > libc::SIG_IGN => {
                if old.sa_flags & libc::SA_SIGINFO != 0 {
                    let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) =
                        std::mem::transmute(old.sa_sigaction);
                    handler(signal, info, uc);
                } else {
                    let handler: extern "C" fn(i32) = std::mem::transmute(old.sa_sigaction);
                    handler(signal);
                }
            }
            _ => {
                // The instruction runs again and ends the process.
                libc::signal(signal, libc::SIG_DFL);
            }
        }
    }
}
