//! The host's terminal: raw while the machine runs, as it was afterwards, on every way out.

use crate::device::console;
use crate::host::sys;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

const TCGETS: usize = 0x5401;
const TCSETSW: usize = 0x5403;
const TIOCGWINSZ: usize = 0x5413;

/// Every request that is made of a terminal, for the sandbox.
pub const REQUESTS: [u32; 3] = [TCGETS as u32, TCSETSW as u32, TIOCGWINSZ as u32];

const ICRNL: u32 = 0o400;
const INLCR: u32 = 0o100;
const IGNCR: u32 = 0o200;
const IXON: u32 = 0o2000;
const ISTRIP: u32 = 0o40;
const INPCK: u32 = 0o20;
const BRKINT: u32 = 0o2;
const PARMRK: u32 = 0o10;
const OPOST: u32 = 0o1;
const ISIG: u32 = 0o1;
const ICANON: u32 = 0o2;
const ECHO: u32 = 0o10;
const ECHONL: u32 = 0o100;
const IEXTEN: u32 = 0o10_0000;

/// `struct termios` of the host kernel.
#[repr(C)]
#[derive(Clone, Copy)]
struct Termios {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    line: u8,
    characters: [u8; 19],
}

struct Saved(UnsafeCell<Termios>);

// SAFETY: written before the second thread starts, read afterwards.
unsafe impl Sync for Saved {}

static SAVED: Saved = Saved(UnsafeCell::new(Termios {
    input: 0,
    output: 0,
    control: 0,
    local: 0,
    line: 0,
    characters: [0; 19],
}));
static IS_RAW: AtomicBool = AtomicBool::new(false);

fn get(fd: i32) -> Option<Termios> {
    // SAFETY: all-zero is a valid value; the request fills it.
    unsafe {
        let mut termios: Termios = core::mem::zeroed();
        (sys::ioctl(fd, TCGETS, &raw mut termios as usize) == 0).then_some(termios)
    }
}

fn set(termios: &Termios) {
    // SAFETY: the structure is what the request takes.
    unsafe { sys::ioctl(0, TCSETSW, core::ptr::from_ref(termios) as usize) };
}

/// Is a standard stream a terminal?
pub fn is_terminal(stream: i32) -> bool {
    get(stream).is_some()
}

/// Rows in the upper 16 bits, columns in the lower; 0 without a terminal.
pub fn size() -> u32 {
    let mut size = [0_u16; 4];
    for stream in [0, 1] {
        // SAFETY: the request fills four 16-bit words.
        if unsafe { sys::ioctl(stream, TIOCGWINSZ, size.as_mut_ptr() as usize) } == 0 {
            return u32::from(size[0]) << 16 | u32::from(size[1]);
        }
    }
    0
}

/// Take over the terminal on standard input, if it is one.
pub fn init() {
    let Some(termios) = get(0) else { return };
    // SAFETY: only one thread runs yet.
    unsafe { *SAVED.0.get() = termios };
    for signal in [sys::SIGHUP, sys::SIGINT, sys::SIGQUIT, sys::SIGTERM] {
        // SAFETY: the handler only makes system calls.
        unsafe { sys::sigaction(signal, on_end as *const () as usize) };
    }
    for signal in [sys::SIGCONT, sys::SIGWINCH] {
        // SAFETY: as above, and a few atomic stores.
        unsafe { sys::sigaction(signal, on_change as *const () as usize) };
    }
    make_raw();
}

fn make_raw() {
    // SAFETY: not written after `init`.
    let mut raw = unsafe { *SAVED.0.get() };
    raw.input &= !(ICRNL | INLCR | IGNCR | IXON | ISTRIP | INPCK | BRKINT | PARMRK);
    raw.output &= !OPOST;
    raw.local &= !(ISIG | ICANON | ECHO | ECHONL | IEXTEN);
    const VTIME: usize = 5;
    const VMIN: usize = 6;
    raw.characters[VTIME] = 0;
    raw.characters[VMIN] = 1;
    IS_RAW.store(true, Ordering::SeqCst);
    set(&raw);
}

/// Give the terminal back as it was. May be called more than once, and from a signal handler.
pub fn restore() {
    if IS_RAW.swap(false, Ordering::SeqCst) {
        // SAFETY: not written after `init`.
        set(unsafe { &*SAVED.0.get() });
    }
}

extern "C" fn on_end(signal: u32) {
    restore();
    sys::exit(128 + signal as i32);
}

extern "C" fn on_change(signal: u32) {
    if signal == sys::SIGCONT {
        make_raw();
    }
    console::terminal_changed();
}

/// End the process after the guest ended.
pub fn exit(status: i32) -> ! {
    restore();
    sys::exit(status)
}
