//! A machine that runs goes to another one that waits, as [`linnet_snapshot::stream`] tells.
//!
//! Asked by a signal, a thread copies memory while the guest runs, again and again what has changed since it was
//! copied, until little is left. Then the guest is told to freeze, and its host call sends the rest. A guest that
//! freezes by itself sends all in its host call.
//!
//! What has changed is found by hashes of what was sent. A guest that makes two pages with one hash harms itself.

use super::pages::{self, PIECE, as_bytes};
use crate::cpu::thread;
use crate::device::{signals, virtio};
use crate::host::exit::{self, fatal};
use crate::host::print::eprintln;
use crate::host::{clock, sys};
use crate::memory::ram::Ram;
use crate::memory::{demand, layout};
use core::cell::UnsafeCell;
use core::fmt::{self, Display, Formatter};
use core::ops::Range;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use linnet_abi::memory::NULL_GUARD;
use linnet_net::line::{self, Call};
use linnet_snapshot::{PACKED, RUN, Run, VERSION, Writer, hash, pack, run, stream};

/// Bytes of a run's message in front of what is stored.
const HEAD: usize = 8 * (1 + run::COUNT);

/// How often memory is copied while the guest runs, at most; and so few bytes that it need not be once more.
const MOST_PASSES: u32 = 10;
const FEW: u64 = 1 << 20;

/// How long the guest may take to freeze.
const PATIENCE: u64 = 30_000_000_000;

/// Who uses the connection and the memory of a line.
mod state {
    pub const NOBODY: u32 = 0;
    /// The thread, while the guest runs.
    pub const THREAD: u32 = 1;
    /// Nobody until the guest has frozen.
    pub const GUEST: u32 = 2;
    /// The guest, which waits for the user.
    pub const ASKS: u32 = 3;
}

/// The way to another machine.
pub struct Line {
    caller: i32,
    address: &'static str,
    state: AtomicU32,
    /// The connection, or -1.
    connection: AtomicI32,
    room: UnsafeCell<Room>,
}

// SAFETY: whose the room is, the state tells; the rest is atomic or never changes.
unsafe impl Sync for Line {}

/// Memory of a line.
struct Room {
    /// Of each piece of guest memory as it was sent; 0 if it is zero there.
    hashes: &'static mut [u64],
    bytes: &'static mut [u8],
    message: &'static mut [u8],
}

/// Why a machine could not go.
#[derive(Debug)]
pub enum Lost {
    Call(Call),
    /// The connection has ended.
    Closed,
    /// Nothing comes or goes.
    Silence,
    Host(i32),
    /// The user has said so.
    Asked,
}

impl Lost {
    /// What reading or writing has given, which is no number of bytes.
    fn of(result: isize) -> Lost {
        const EAGAIN: isize = sys::EAGAIN as isize;
        const EPIPE: isize = -32;
        const ECONNRESET: isize = -104;
        match result {
            0 | EPIPE | ECONNRESET => Lost::Closed,
            EAGAIN => Lost::Silence,
            errno => Lost::Host(-errno as i32),
        }
    }
}

impl Display for Lost {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Call(call) => write!(
                f,
                "{call}\nhint: start the other one first: the same packages, with --frames and --incoming"
            ),
            Lost::Closed => {
                write!(f, "the other one has closed the connection\nhint: see what it says")
            }
            Lost::Silence => write!(f, "the other one says nothing any more"),
            Lost::Host(errno) => write!(f, "the connection has failed (errno {errno})"),
            Lost::Asked => write!(f, "that was decided"),
        }
    }
}

struct LineCell(UnsafeCell<Option<Line>>);

// SAFETY: written before the second thread starts.
unsafe impl Sync for LineCell {}

static LINE: LineCell = LineCell(UnsafeCell::new(None));

/// The way to the machine that waits at an address, by the process that connects to it. While one thread runs.
pub fn init(caller: i32, address: &'static str) -> &'static Line {
    let pieces = (Ram::get().size / PIECE) as usize;
    let size = 8 * pieces + RUN + HEAD + PACKED;
    let own = sys::PROT_READ | sys::PROT_WRITE;
    let Ok(at) = layout::map_own(size.next_multiple_of(1 << 16), 1 << 16, own) else {
        fatal!(exit::HOST, "the host has no memory to copy the machine from");
    };
    // SAFETY: mapped just now for good, and nobody else knows of it. One thread runs.
    unsafe {
        let bytes = (at + 8 * pieces) as *mut u8;
        let room = Room {
            hashes: core::slice::from_raw_parts_mut(at as *mut u64, pieces),
            bytes: core::slice::from_raw_parts_mut(bytes, RUN),
            message: core::slice::from_raw_parts_mut(bytes.add(RUN), HEAD + PACKED),
        };
        (*LINE.0.get()).insert(Line {
            caller,
            address,
            state: AtomicU32::new(state::NOBODY),
            connection: AtomicI32::new(-1),
            room: UnsafeCell::new(room),
        })
    }
}

/// Start the thread, if the machine can go.
pub fn start() {
    // SAFETY: see the cell.
    if unsafe { (*LINE.0.get()).is_some() } {
        thread::spawn(main, 0);
    }
}

extern "C" fn main(_: usize) -> ! {
    thread::begin(c"linnet-move");
    // SAFETY: see the cell.
    let line = unsafe { (*LINE.0.get()).as_ref() }.expect("the thread has been started for it");
    loop {
        signals::wait_for_request();
        line.begin();
    }
}

impl Line {
    /// The socket to the process that connects.
    pub fn caller(&self) -> i32 {
        self.caller
    }

    /// The memory of the line.
    ///
    /// # Safety
    /// The state must say that it is the caller's.
    #[expect(clippy::mut_from_ref, reason = "the state tells whose it is")]
    unsafe fn room(&self) -> &mut Room {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.room.get() }
    }

    fn set_state(&self, state: u32) {
        self.state.store(state, Ordering::SeqCst);
        sys::futex_wake(&self.state, u32::MAX);
    }

    /// What the thread does when the machine is to go.
    fn begin(&self) {
        if self.claim(state::ASKS, state::THREAD) {
            sys::futex_wake(&self.state, u32::MAX);
            return;
        }
        if !self.claim(state::NOBODY, state::THREAD) {
            return;
        }
        match self.copy() {
            Ok(connection) => self.connection.store(connection, Ordering::SeqCst),
            Err(lost) => {
                self.set_state(state::NOBODY);
                eprintln!("error: the machine stays here: {lost}");
                return;
            }
        }
        self.set_state(state::GUEST);
        signals::freeze();
        let deadline = clock::host_now() + PATIENCE;
        while self.state.load(Ordering::SeqCst) == state::GUEST {
            sys::futex_wait(&self.state, state::GUEST, Some(deadline));
            if clock::host_now() >= deadline && self.claim(state::GUEST, state::THREAD) {
                self.hang_up();
                self.set_state(state::NOBODY);
                eprintln!("error: the machine stays here: its kernel does not freeze");
                return;
            }
        }
    }

    /// Copies memory while the guest runs: the connection.
    fn copy(&self) -> Result<i32, Lost> {
        let connection = self.connect()?;
        let copy = || -> Result<(), Lost> {
            let mut last = u64::MAX;
            for _ in 0..MOST_PASSES {
                let changed = self.pass(connection, true)?;
                if changed <= FEW || changed > last / 4 * 3 {
                    break;
                }
                last = changed;
            }
            Ok(())
        };
        copy().inspect_err(|_| sys::close(connection)).map(|()| connection)
    }

    /// A new connection to the machine that waits, which knows nothing yet.
    fn connect(&self) -> Result<i32, Lost> {
        let connection = line::connect(self.caller).map_err(Lost::Call)?;
        demand::need_all();
        // SAFETY: the caller has the line.
        unsafe { self.room() }.hashes.fill(0);
        let ram = Ram::get();
        let mut hello = [stream::MAGIC, VERSION, 0, 0, 0, 0, ram.size];
        for (word, bytes) in hello[2..6].iter_mut().zip(ram.kernel.id.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let hello: [u64; stream::HELLO] = hello;
        match write(connection, as_bytes(&hello)) {
            Ok(()) => Ok(connection),
            Err(lost) => {
                sys::close(connection);
                Err(lost)
            }
        }
    }

    fn hang_up(&self) {
        let connection = self.connection.swap(-1, Ordering::SeqCst);
        if connection >= 0 {
            sys::close(connection);
        }
    }

    fn claim(&self, from: u32, to: u32) -> bool {
        self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// No snapshot will come: the guest has refused.
    pub fn give_up(&self) {
        if self.claim(state::GUEST, state::THREAD) {
            self.hang_up();
            self.set_state(state::NOBODY);
        }
    }

    /// Sends a frozen machine, whose memory does not change. `writer` has all but its runs. From then on it is the
    /// other one that runs.
    pub fn send(&self, mut writer: Writer<'_>) -> Result<(), Lost> {
        loop {
            let state = self.state.load(Ordering::SeqCst);
            if state != state::THREAD {
                break;
            }
            sys::futex_wait(&self.state, state, None);
        }
        self.state.store(state::THREAD, Ordering::SeqCst);
        let sent = (|| {
            let connection = match self.connection.load(Ordering::SeqCst) {
                -1 => self.connect()?,
                connection => connection,
            };
            self.connection.store(connection, Ordering::SeqCst);
            self.pass(connection, false)?;
            // It lists no runs.
            writer.word(0).map_err(|_| Lost::Closed)?;
            let (header, body) = writer.finish(0, 0, as_bytes);
            virtio::unlock();
            write(connection, as_bytes(&[stream::BODY, header[2], header[3]]))?;
            write(connection, as_bytes(body))?;
            if read_word(connection)? != stream::READY {
                return Err(Lost::Closed);
            }
            write(connection, as_bytes(&[stream::GO]))?;
            if read_word(connection).ok() != Some(stream::RUNS) {
                self.ask();
                return Err(Lost::Asked);
            }
            eprintln!("note: the machine goes on at {}", self.address);
            Ok(())
        })();
        if sent.is_err() {
            self.hang_up();
            if !virtio::lock() {
                fatal!(exit::HOST, "somebody else has taken a disk of this machine");
            }
            self.set_state(state::NOBODY);
        }
        sent
    }

    /// The other machine has been told to run, and has not said that it does. Two of them would be worse than none.
    fn ask(&self) {
        eprintln!(
            "error: it is not known whether the machine goes on at {}
hint: if it does, end this process; if it does not, let it go on here: kill -USR1 {}",
            self.address,
            sys::getpid()
        );
        self.set_state(state::ASKS);
        while self.state.load(Ordering::SeqCst) == state::ASKS {
            sys::futex_wait(&self.state, state::ASKS, None);
        }
    }

    /// Sends what has changed since it was sent; how many bytes.
    fn pass(&self, connection: i32, is_live: bool) -> Result<u64, Lost> {
        // SAFETY: the caller has the line.
        let room = unsafe { self.room() };
        let mut sum = 0;
        let mut at = NULL_GUARD;
        for part in pages::held() {
            room.send_zeros(connection, at..part.start)?;
            at = part.end;
            sum += room.send_changed(connection, part, is_live)?;
        }
        room.send_zeros(connection, at..Ram::get().size)?;
        Ok(sum)
    }
}

fn number(at: u64) -> usize {
    (at / PIECE) as usize
}

impl Room {
    /// Says of a part of memory that it is zero, where that is new.
    fn send_zeros(&mut self, connection: i32, part: Range<u64>) -> Result<(), Lost> {
        let mut at = part.start;
        while at < part.end {
            let known = &mut self.hashes[number(at)];
            if *known != 0 {
                *known = 0;
                write_run(connection, &Run::new(at, PIECE as usize, &[]), self.message, 0)?;
            }
            at += PIECE;
        }
        Ok(())
    }

    /// Sends what is new in a part of memory that lies in one run; how many bytes.
    fn send_changed(
        &mut self,
        connection: i32,
        part: Range<u64>,
        is_live: bool,
    ) -> Result<u64, Lost> {
        let size = (part.end - part.start) as usize;
        let bytes = if is_live {
            // The host copies what the guest may be writing.
            let bytes = &mut self.bytes[..size];
            if sys::read_all_at(Ram::get().fd, bytes, part.start) != 0 {
                return Err(Lost::Closed);
            }
            &*bytes
        } else {
            pages::bytes(part.clone())
        };
        let piece = PIECE as usize;
        let hashes = &mut self.hashes[number(part.start)..];
        let mut is_new = |n: usize| {
            let bytes = &bytes[n..n + piece];
            // No hash of anything is that of zeros.
            let hash = if pages::is_zero(bytes) { 0 } else { hash(bytes) | 1 };
            let known = &mut hashes[n / piece];
            core::mem::replace(known, hash) != hash
        };
        let mut sum = 0;
        let mut pieces = (0..size).step_by(piece);
        while let Some(start) = pieces.find(|n| is_new(*n)) {
            let end = pieces.find(|n| !is_new(*n)).unwrap_or(size);
            let bytes = &bytes[start..end];
            let (_, buffer) = self.message.split_at_mut(HEAD);
            let stored = pack(bytes, buffer);
            let run = Run::new(part.start + start as u64, bytes.len(), stored);
            let stored = stored.len();
            if run.is_plain() {
                buffer[..stored].copy_from_slice(bytes);
            }
            write_run(connection, &run, self.message, stored)?;
            sum += bytes.len() as u64;
        }
        Ok(sum)
    }
}

/// Sends a run; `message` has room for its head, and behind that what is stored.
fn write_run(connection: i32, run: &Run, message: &mut [u8], stored: usize) -> Result<(), Lost> {
    let words = [stream::RUN].into_iter().chain(run.words());
    for (to, word) in message.as_chunks_mut().0.iter_mut().zip(words) {
        *to = word.to_le_bytes();
    }
    write(connection, &message[..HEAD + stored])
}

/// Writes all of the bytes.
pub fn write(connection: i32, mut bytes: &[u8]) -> Result<(), Lost> {
    while !bytes.is_empty() {
        // SAFETY: the bytes live through the call.
        match unsafe { sys::write(connection, bytes.as_ptr(), bytes.len()) } {
            sys::EINTR => {}
            n @ ..=0 => return Err(Lost::of(n)),
            n => bytes = &bytes[n as usize..],
        }
    }
    Ok(())
}

/// Reads all of the bytes.
pub fn read(connection: i32, mut bytes: &mut [u8]) -> Result<(), Lost> {
    while !bytes.is_empty() {
        // SAFETY: the bytes live through the call.
        match unsafe { sys::read(connection, bytes.as_mut_ptr(), bytes.len()) } {
            sys::EINTR => {}
            n @ ..=0 => return Err(Lost::of(n)),
            n => bytes = &mut bytes[n as usize..],
        }
    }
    Ok(())
}

fn read_word(connection: i32) -> Result<u64, Lost> {
    let mut word = [0; 8];
    read(connection, &mut word)?;
    Ok(u64::from_le_bytes(word))
}
