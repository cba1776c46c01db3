//! The host's terminal on standard input: raw while the machine has it, as it was otherwise.
//!
//! The machine has the terminal while it is in the foreground: else it is another program's, whose
//! settings and input are left alone. If standard output is a terminal, too, it takes the terminal at
//! once. Else another program shows what the machine writes, and may read keys itself (`| less`): then
//! the machine takes the terminal only when a program of the guest waits for input.

use crate::host::sys;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const TCGETS: usize = 0x5401;
const TCSETSW: usize = 0x5403;
const TIOCGPGRP: usize = 0x540f;
const TIOCGWINSZ: usize = 0x5413;

/// Every request that is made of a terminal, for the sandbox.
pub const REQUESTS: [u32; 4] = [TCGETS as u32, TCSETSW as u32, TIOCGPGRP as u32, TIOCGWINSZ as u32];

const ICRNL: u32 = 0o400;
const INLCR: u32 = 0o100;
const IGNCR: u32 = 0o200;
const IXON: u32 = 0o2000;
const ISTRIP: u32 = 0o40;
const INPCK: u32 = 0o20;
const BRKINT: u32 = 0o2;
const PARMRK: u32 = 0o10;
const OPOST: u32 = 0o1;
const ONLCR: u32 = 0o4;
const ISIG: u32 = 0o1;
const ICANON: u32 = 0o2;
const ECHO: u32 = 0o10;
const ECHONL: u32 = 0o100;
const IEXTEN: u32 = 0o10_0000;

/// `struct termios` of the host kernel.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
struct Termios {
    input: u32,
    output: u32,
    control: u32,
    local: u32,
    /// The line discipline, and the first special characters.
    line: [u8; 4],
    characters: [u8; 16],
}

const WORDS: usize = size_of::<Termios>() / 4;

/// The settings that the terminal gets back. Handlers of signals write them, too.
static SAVED: [AtomicU32; WORDS] = [const { AtomicU32::new(0) }; WORDS];

/// Is standard input a terminal?
static IS_THERE: AtomicBool = AtomicBool::new(false);
/// Is the terminal to be taken as soon as that can be?
static IS_WANTED: AtomicBool = AtomicBool::new(false);
/// The process group of the machine.
static GROUP: AtomicU32 = AtomicU32::new(0);
/// Counts from 1 how often the process went on after a stop: the terminal may be another's since.
static TURN: AtomicU32 = AtomicU32::new(1);
/// The turn in which the terminal was taken; 0 if it was not, or has been given back.
static TAKEN: AtomicU32 = AtomicU32::new(0);

fn get(fd: i32) -> Option<Termios> {
    let mut words = [0_u32; WORDS];
    // SAFETY: the request fills that many bytes.
    let r = unsafe { sys::ioctl(fd, TCGETS, words.as_mut_ptr() as usize) };
    (r == 0).then(|| Termios::from_words(words))
}

impl Termios {
    fn from_words(words: [u32; WORDS]) -> Self {
        // SAFETY: every value of every byte is valid.
        unsafe { core::mem::transmute(words) }
    }

    fn saved() -> Self {
        Self::from_words(core::array::from_fn(|i| SAVED[i].load(Ordering::Relaxed)))
    }

    fn save(self) {
        // SAFETY: as above; there is no padding.
        let words: [u32; WORDS] = unsafe { core::mem::transmute(self) };
        for (to, word) in SAVED.iter().zip(words) {
            to.store(word, Ordering::Relaxed);
        }
    }

    /// The guest's terminal does all that a terminal does: the host's is to do nothing.
    fn raw(mut self) -> Self {
        const VTIME: usize = 5 - 3;
        const VMIN: usize = 6 - 3;
        self.input &= !(ICRNL | INLCR | IGNCR | IXON | ISTRIP | INPCK | BRKINT | PARMRK);
        // What is not written by the console still ends its lines with a line feed alone.
        if is_terminal(1) {
            self.output &= !OPOST;
        }
        self.local &= !(ISIG | ICANON | ECHO | ECHONL | IEXTEN);
        self.characters[VTIME] = 0;
        self.characters[VMIN] = 1;
        self
    }

    /// Set these, unless `turn`, in which the machine was in the foreground, is over.
    ///
    /// The kernel has no request that does both. A stop may come after the look at the foreground, and a
    /// shell have the terminal when the machine goes on: so nothing is between the look at the turn and the
    /// request. A program whose group is in the background all the same is not stopped for this.
    fn set(self, turn: u32) -> bool {
        let blocked = sys::block(1 << (sys::SIGTTOU - 1));
        let is_now = TURN.load(Ordering::SeqCst) == turn;
        if is_now {
            // SAFETY: the structure is what the request takes.
            unsafe { sys::ioctl(0, TCSETSW, &raw const self as usize) };
        }
        sys::set_blocked(blocked);
        is_now
    }
}

/// Is a standard stream a terminal?
pub fn is_terminal(stream: i32) -> bool {
    get(stream).is_some()
}

/// The stream that the guest's console writes to.
pub fn console() -> i32 {
    // The terminal that one reads at shows what one types, whatever else is written elsewhere.
    [1, 2, 0]
        .into_iter()
        .find(|stream| is_terminal(*stream) && sys::is_writable(*stream))
        .unwrap_or(2)
}

/// Does the host's terminal write a carriage return before a line feed?
pub fn adds_carriage_return(stream: i32) -> bool {
    get(stream).is_some_and(|termios| termios.output & (OPOST | ONLCR) == OPOST | ONLCR)
}

/// Rows in the upper 16 bits, columns in the lower; 0 without a terminal.
pub fn size() -> u32 {
    let mut size = [0_u16; 4];
    for stream in 0..3 {
        // SAFETY: the request fills four 16-bit words.
        if unsafe { sys::ioctl(stream, TIOCGWINSZ, size.as_mut_ptr() as usize) } == 0 {
            return u32::from(size[0]) << 16 | u32::from(size[1]);
        }
    }
    0
}

/// Find out whether standard input is a terminal, and take it if that is the machine's at once.
pub fn init() {
    let Some(termios) = get(0) else { return };
    termios.save();
    GROUP.store(sys::getpgrp(), Ordering::Relaxed);
    IS_WANTED.store(is_terminal(1), Ordering::Relaxed);
    IS_THERE.store(true, Ordering::SeqCst);
    hold();
}

/// A terminal that does not control this process knows no background.
fn is_foreground() -> bool {
    let mut group = 0_u32;
    // SAFETY: the request fills a 32-bit word.
    let r = unsafe { sys::ioctl(0, TIOCGPGRP, &raw mut group as usize) };
    r != 0 || group == GROUP.load(Ordering::Relaxed)
}

/// May the machine read standard input now? If that is a terminal, takes it where it can.
pub fn hold() -> bool {
    if !IS_THERE.load(Ordering::SeqCst) {
        return true;
    }
    loop {
        let turn = TURN.load(Ordering::SeqCst);
        if !is_foreground() {
            TAKEN.store(0, Ordering::SeqCst);
            return false;
        }
        if !IS_WANTED.load(Ordering::SeqCst) {
            return false;
        }
        if TAKEN.load(Ordering::SeqCst) == turn {
            return true;
        }
        let Some(termios) = get(0) else { return true };
        // After a stop it may still be raw, or be as somebody wants it by now.
        if termios != Termios::saved().raw() {
            termios.save();
        }
        if Termios::saved().raw().set(turn) {
            TAKEN.store(turn, Ordering::SeqCst);
            return true;
        }
    }
}

/// The machine went on: who stopped it may have changed the terminal.
pub fn look_again() {
    TURN.fetch_add(1, Ordering::SeqCst);
    hold();
}

/// A program of the guest waits for input: stops a machine in the background until it is in the foreground.
/// Whether the terminal is the machine's then, or the error that whoever reads there gets.
pub fn take() -> Result<bool, i32> {
    IS_WANTED.store(true, Ordering::SeqCst);
    if !is_foreground() {
        // SAFETY: reads nothing. The host's kernel looks first at who reads.
        let r = unsafe { sys::read(0, core::ptr::null_mut(), 0) };
        if r < 0 && r != sys::EINTR {
            return Err(r as i32);
        }
    }
    Ok(hold())
}

/// Give the terminal back as it was. May be called more than once, and from a signal handler.
pub fn restore() {
    let turn = TURN.load(Ordering::SeqCst);
    if TAKEN.swap(0, Ordering::SeqCst) == turn && is_foreground() {
        Termios::saved().set(turn);
    }
}
