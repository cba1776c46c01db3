//! How signals of the host end the machine: on request, in time, and as a signal.
//!
//! A process that a signal ended says so to its parent, who may care: a shell leaves a loop at SIGINT,
//! and to systemd a SIGTERM is no failure. The kernel does not let process 1 of a PID namespace die of a
//! signal, so that this one exits with the status that shells make of it, 128 + n.

use super::{clock, sys, terminal};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// How long the guest may take to end, in nanoseconds. Engines of containers wait ten seconds by default.
const TIME_TO_END: u64 = 7_000_000_000;

/// The last number of a signal.
pub const LAST: u32 = 64;

static IGNORED: AtomicU64 = AtomicU64::new(0);
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Does the guest's kernel care about [`take_request`]?
static IS_HEARD: AtomicBool = AtomicBool::new(false);
/// The signal that asked the machine to end; 0 if none did.
static REQUEST: AtomicU32 = AtomicU32::new(0);
static IS_TAKEN: AtomicBool = AtomicBool::new(false);
/// When it ends whatever the guest does, on the guest's monotonic clock.
static DEADLINE: AtomicU64 = AtomicU64::new(u64::MAX);

/// Those that code raises by what it does.
pub const FAULTS: [u32; 5] = [sys::SIGSEGV, sys::SIGBUS, sys::SIGILL, sys::SIGFPE, sys::SIGTRAP];

/// A signal in a set of them.
pub fn bit(signal: u32) -> u64 {
    1 << (signal - 1)
}

/// Those that others send. One at a time is handled: however fast they come, a signal stack has room.
pub fn sent() -> u64 {
    !FAULTS.map(bit).iter().fold(0, |set, bit| set | bit)
}

/// Look at what the process was started with.
pub fn init() {
    PROCESS.store(sys::getpid(), Ordering::Relaxed);
    let ignored = (1..=LAST).filter(|signal| sys::is_ignored(*signal)).map(bit);
    IGNORED.store(ignored.fold(0, |set, bit| set | bit), Ordering::Relaxed);
}

/// The signals that the process was started to ignore.
pub fn ignored() -> u64 {
    IGNORED.load(Ordering::Relaxed)
}

/// Is this the first process of its PID namespace?
pub fn is_first_process() -> bool {
    PROCESS.load(Ordering::Relaxed) == 1
}

/// A signal asks the machine to end: when it is to have ended, on the guest's monotonic clock. The second
/// one ends it, and so does the first if the guest does not listen yet.
pub fn request(signal: u32) -> u64 {
    let is_first = REQUEST.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_ok();
    if !is_first || !IS_HEARD.load(Ordering::SeqCst) {
        die(signal);
    }
    let deadline = clock::monotonic() + TIME_TO_END;
    DEADLINE.store(deadline, Ordering::SeqCst);
    deadline
}

/// The signal that asked the machine to end, once; 0 if there is none. The guest listens from now on.
pub fn take_request() -> u32 {
    IS_HEARD.store(true, Ordering::SeqCst);
    match REQUEST.load(Ordering::SeqCst) {
        signal if signal != 0 && !IS_TAKEN.swap(true, Ordering::SeqCst) => signal,
        _ => 0,
    }
}

/// The guest listens already: it did so before it was frozen.
pub fn hear() {
    IS_HEARD.store(true, Ordering::SeqCst);
}

/// The guest begins anew. One that was asked to end does not.
pub fn end_if_requested() {
    match REQUEST.load(Ordering::SeqCst) {
        0 => {}
        signal => die(signal),
    }
}

/// When to call [`end_late`], on the guest's monotonic clock; all ones: never.
pub fn deadline() -> u64 {
    DEADLINE.load(Ordering::SeqCst)
}

/// The guest has not ended in time.
pub fn end_late() -> ! {
    die(REQUEST.load(Ordering::SeqCst))
}

/// End the process after the guest ended.
pub fn exit(status: i32) -> ! {
    let request = REQUEST.load(Ordering::SeqCst);
    if request != 0 && status == 128 + request as i32 {
        die(request);
    }
    terminal::restore();
    sys::exit(status)
}

/// End the process by a signal that it has got.
pub fn die(signal: u32) -> ! {
    terminal::restore();
    // An emulator waits for ever where the host does not let the process die.
    if !is_first_process() {
        // A core would be all of the guest's memory.
        sys::forbid_core();
        sys::set_default(signal);
        // Its handler may be what calls.
        sys::unblock(bit(signal));
        kill_self(signal);
    }
    sys::exit(128 + signal as i32)
}

/// Send this process a signal.
pub fn kill_self(signal: u32) {
    sys::kill(PROCESS.load(Ordering::Relaxed), signal);
}
