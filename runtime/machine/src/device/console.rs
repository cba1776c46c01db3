//! The host's standard streams as a device of the guest.
//!
//! A vCPU never waits in the host for a stream: it reads and writes what can be without waiting, and takes
//! from the host no more than the guest asks for. For each stream a thread waits instead, once the guest
//! wants to know, and raises the interrupt line when something changed; it moves no bytes.

use crate::cpu::{thread, vcpu};
use crate::host::sys::{self, EAGAIN, POLLERR, POLLIN, POLLNVAL, POLLOUT, Timespec};
use crate::host::terminal;
use crate::memory::demand;
use crate::memory::range::GuestSlice;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use linnet_abi::irq;

const LINE: u32 = 1 << (irq::DEVICE_SHIFT + irq::LINE_STDIO);

/// Most that is written at once where it cannot be said that it must not wait: a pipe with room takes
/// that much.
const CHUNK: usize = 4096;

/// How often something is looked at that nobody tells of: whether the terminal is the machine's again,
/// and whether a stream has an error while the guest may want more of it any time.
const TICK: Timespec = Timespec { seconds: 0, nanoseconds: 200_000_000 };

struct State {
    /// Events that the guest waits for.
    wanted: AtomicU32,
    /// A file has a position, and never waits.
    is_file: AtomicBool,
    is_terminal: AtomicBool,
    /// The host cannot be told not to wait: terminals, and old hosts.
    may_wait: AtomicBool,
}

static STATES: [State; 3] = [const {
    State {
        wanted: AtomicU32::new(0),
        is_file: AtomicBool::new(false),
        is_terminal: AtomicBool::new(false),
        may_wait: AtomicBool::new(false),
    }
}; 3];

/// Start the threads.
pub fn init() {
    for (fd, stream) in STATES.iter().enumerate() {
        stream.is_file.store(sys::position(fd as i32).is_ok(), Ordering::Relaxed);
        stream.is_terminal.store(terminal::is_terminal(fd as i32), Ordering::Relaxed);
        thread::spawn(watch, fd);
    }
}

fn raise() {
    vcpu::first().interrupt(LINE);
}

/// The terminal's size changed, or whose it is; or they may have.
pub fn terminal_changed() {
    raise();
}

impl State {
    fn want(&self, events: i16) {
        self.wanted.fetch_or((events | POLLERR) as u32, Ordering::SeqCst);
        sys::futex_wake(&self.wanted, 1);
    }
}

/// One of the three.
#[derive(Debug, Clone, Copy)]
pub struct Stream(usize);

impl Stream {
    pub fn new(number: u32) -> Option<Stream> {
        ((number as usize) < STATES.len()).then_some(Stream(number as usize))
    }

    fn fd(self) -> i32 {
        self.0 as i32
    }

    fn state(self) -> &'static State {
        &STATES[self.0]
    }
}

/// Which of `events`, and which errors, a stream has. If none, the interrupt comes when that changes.
pub fn poll(stream: Stream, events: u32) -> u32 {
    let fd = stream.fd();
    let events = events as i16 & (POLLIN | POLLOUT);
    let may = fd != 0 || terminal::hold();
    let mut ready = if may { sys::poll(fd, events, Some(Timespec::default())) } else { 0 };
    if ready & POLLNVAL != 0 {
        // Whoever reads or writes it will see.
        ready = events | POLLERR;
    }
    if ready == 0 {
        stream.state().want(events);
    }
    ready as u32
}

/// Bytes that were read, 0 at the end of the input, or a negative errno; -EAGAIN if there are none yet.
pub fn read(buffer: GuestSlice) -> i32 {
    let (to, size) = (buffer.host(), buffer.len());
    if size == 0 {
        return 0;
    }
    demand::need(buffer.part());
    let stream = &STATES[0];
    let n = match terminal::hold() {
        // SAFETY: in the kernel's memory; where nothing is mapped the host answers with an error.
        true => stream.at_once(0, POLLIN, |waits| unsafe {
            if waits { sys::read(0, to, size) } else { sys::read_now(0, to, size) }
        }),
        false => EAGAIN as isize,
    };
    if n == EAGAIN as isize || n == sys::EINTR {
        stream.want(POLLIN);
        return EAGAIN;
    }
    n as i32
}

/// Bytes that were written, or a negative errno; -EAGAIN if the stream takes none now.
pub fn write(stream: Stream, buffer: GuestSlice) -> i32 {
    let (fd, stream) = (stream.fd(), stream.state());
    demand::need(buffer.part());
    let (buffer, size) = (buffer.host().cast_const(), buffer.len());
    if size == 0 {
        return 0;
    }
    let skips = stream.is_terminal.load(Ordering::Relaxed) && terminal::adds_carriage_return(fd);
    let mut done = 0;
    let result = loop {
        // SAFETY: in the kernel's memory.
        let (skipped, n) = unsafe { next_part(buffer.wrapping_add(done), size - done, skips) };
        if n == 0 && done != 0 {
            break 0;
        }
        let (at, n) = (buffer.wrapping_add(done + skipped), n.max(1));
        // SAFETY: as above; where nothing is mapped the host answers with an error.
        let r = stream.at_once(fd, POLLOUT, |waits| unsafe {
            if waits { sys::write(fd, at, stream.chunk(n)) } else { sys::write_now(fd, at, n) }
        });
        if r <= 0 {
            break r;
        }
        done += skipped + r as usize;
    };
    if done != 0 {
        return done as i32;
    }
    if result == EAGAIN as isize || result == sys::EINTR {
        stream.want(POLLOUT);
        return EAGAIN;
    }
    result as i32
}

/// The guest ends a line as a terminal wants it, with a carriage return and a line feed. Where the host's
/// terminal makes that of a line feed, the former is left out: how many bytes to leave out, and how many
/// to write then. That is none where only a carriage return is left: nobody knows yet what follows it.
///
/// # Safety
/// The bytes must be valid for reads, or lie in guest memory.
unsafe fn next_part(bytes: *const u8, len: usize, skips: bool) -> (usize, usize) {
    if !skips {
        return (0, len);
    }
    // SAFETY: the caller's promise.
    let is = |i: usize, byte: u8| i < len && unsafe { bytes.add(i).read_volatile() } == byte;
    let skipped = usize::from(is(0, b'\r') && is(1, b'\n'));
    let ends = |i: usize| is(i, b'\r') && (is(i + 1, b'\n') || i + 1 == len);
    let end = (skipped..len).find(|i| ends(*i)).unwrap_or(len);
    (skipped, end - skipped)
}

impl State {
    /// Read or write: `call` is told whether it may wait. A file is not asked whether it would, since that
    /// means to wait for a disk; what cannot be asked is polled before.
    fn at_once(&self, fd: i32, events: i16, call: impl Fn(bool) -> isize) -> isize {
        if self.is_file.load(Ordering::Relaxed) {
            return call(true);
        }
        if !self.may_wait.load(Ordering::Relaxed) {
            match call(false) {
                sys::ENOSYS | sys::EOPNOTSUPP => self.may_wait.store(true, Ordering::Relaxed),
                r => return r,
            }
        }
        match sys::poll(fd, events, Some(Timespec::default())) {
            0 => EAGAIN as isize,
            _ => call(true),
        }
    }

    fn chunk(&self, n: usize) -> usize {
        if self.is_file.load(Ordering::Relaxed) { n } else { n.min(CHUNK) }
    }
}

/// Move the position of a stream; the new one or a negative errno.
pub fn seek(stream: Stream, offset: u64, whence: u32) -> i64 {
    sys::seek(stream.fd(), offset, whence) as i64
}

extern "C" fn watch(fd: usize) -> ! {
    const NAMES: [&core::ffi::CStr; 3] = [c"linnet-stdin", c"linnet-stdout", c"linnet-stderr"];
    thread::begin(NAMES[fd]);
    let stream = &STATES[fd];
    loop {
        let wanted = stream.wanted.load(Ordering::SeqCst);
        if wanted == 0 {
            sys::futex_wait(&stream.wanted, 0, None);
            continue;
        }
        if fd == 0 && !terminal::hold() {
            sys::poll(-1, 0, Some(TICK));
        } else {
            let events = wanted as i16;
            let limit = (events & (POLLIN | POLLOUT) == 0).then_some(TICK);
            if sys::poll(fd as i32, events, limit) == 0 {
                continue;
            }
        }
        stream.wanted.store(0, Ordering::SeqCst);
        raise();
    }
}
