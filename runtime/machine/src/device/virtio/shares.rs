//! Folders of the host, each of whose queues another process serves. If that is gone, there is an error for all that
//! the guest asks for.

use super::front_end::{Descriptors, FrontEnd, Kind};
use super::lines::{self, SHARES as FIRST_NUMBER};
use super::mmio::{Device, Mmio, register};
use crate::cpu::thread;
use crate::host::sys;
use crate::memory::physical::guest_memory;
use core::cell::UnsafeCell;
use core::fmt::Write;
use linnet_share::options::MAX_SHARES;
use linnet_virtio::fs::{QUEUES, TAG_SIZE};
use linnet_virtio::parts;
use linnet_virtio::queue::{Malformed, OpenQueue, Queue, Request};

/// A folder of the host.
pub struct Share {
    back_end: FrontEnd,
    /// The name by which the guest finds it.
    tag: Tag,
}

/// `share` and a number.
struct Tag {
    bytes: [u8; TAG_SIZE],
    len: usize,
}

impl Tag {
    fn new(n: usize) -> Tag {
        let mut tag = Tag { bytes: [0; TAG_SIZE], len: 0 };
        // There is room for each number.
        let _ = write!(tag, "share{n}");
        tag
    }
}

impl Write for Tag {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(core::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

impl Device for Share {
    const ID: u32 = 26;
    const QUEUES: usize = QUEUES;

    fn features(&self) -> u64 {
        0
    }

    /// `struct virtio_fs_config`: the tag, and the number of queues for requests.
    fn configuration(&self, at: usize) -> Option<u8> {
        const REQUEST_QUEUES: u8 = 1;
        match at {
            TAG_SIZE => Some(REQUEST_QUEUES),
            at => self.tag.bytes.get(at).copied(),
        }
    }

    /// The back end is gone: say so to whoever waits.
    fn serve(&self, queue: &mut OpenQueue) -> Result<bool, Malformed> {
        queue.retake();
        let mut is_any = false;
        while let Some(mut request) = queue.pop_available()? {
            let written = refuse(&mut request);
            queue.push_used(&request, written);
            is_any = true;
        }
        Ok(is_any && queue.wants_interrupt())
    }

    fn begin(&self, features: u64, queues: &[Queue]) {
        self.back_end.begin(features, queues);
    }

    fn end(&self) {
        self.back_end.end();
    }

    fn kick(&self, queue: u32) -> bool {
        self.back_end.kick(queue);
        self.back_end.is_up()
    }
}

/// Answer a request of FUSE with an error: how many bytes.
fn refuse(request: &mut Request) -> u32 {
    const NOT_CONNECTED: i32 = 107;
    // Length, operation and number of the request; length, error and number of the answer.
    let (mut head, mut answer) = ([0; 16], [0; 16]);
    let (mut readable, writable) = request.split();
    parts::take(&mut readable, &mut head);
    answer[0] = answer.len() as u8;
    answer[4..8].copy_from_slice(&(-NOT_CONNECTED).to_le_bytes());
    answer[8..].copy_from_slice(&head[8..]);
    parts::put(writable, &answer) as u32
}

struct Cell(UnsafeCell<[Option<Mmio<Share>>; MAX_SHARES]>);

// SAFETY: written before the second thread starts. The devices' own parts are for many threads.
unsafe impl Sync for Cell {}

static SHARES: Cell = Cell(UnsafeCell::new([const { None }; MAX_SHARES]));

/// All of them.
fn all() -> impl Iterator<Item = &'static Mmio<Share>> {
    // SAFETY: written only before the second thread starts.
    unsafe { (*SHARES.0.get()).iter().flatten() }
}

/// How many there are.
pub fn count() -> u32 {
    all().count() as u32
}

/// A folder's device.
pub fn share(n: u32) -> Option<&'static Mmio<Share>> {
    all().nth(n as usize)
}

/// Read a register.
pub fn read(n: u32, offset: u32, size: u32) -> Option<u32> {
    let mmio = share(n)?;
    // An interrupt says that the back end is gone: it has not answered all.
    if offset == register::INTERRUPT_STATUS && !mmio.device.back_end.is_up() {
        mmio.serve(guest_memory(), || lines::raise(FIRST_NUMBER + n));
    }
    Some(mmio.read(offset, size))
}

/// What stays open when the machine starts again: see [`FrontEnd::keep`].
pub fn keep() -> impl Iterator<Item = Descriptors> {
    all().map(|mmio| mmio.device.back_end.keep())
}

/// Make a folder the next one; there must be room for it. After a restart the back end may have been gone for long.
pub fn attach(descriptors: Descriptors, path: &'static str, is_restart: bool) {
    let n = count() as usize;
    let back_end = FrontEnd::new(Kind::Folder(path), descriptors, is_restart);
    let share = Mmio::new(Share { back_end, tag: Tag::new(n) });
    // SAFETY: only one thread runs yet.
    unsafe { (*SHARES.0.get())[n] = Some(share) };
}

/// Start the threads that wait for the back ends.
pub fn init() {
    for n in 0..count() {
        thread::spawn(watch, n as usize);
    }
}

extern "C" fn watch(n: usize) -> ! {
    thread::begin(c"linnet-share");
    let n = n as u32;
    let Some(mmio) = share(n) else { sys::exit(crate::host::exit::BUG) };
    let raise = || lines::raise(FIRST_NUMBER + n);
    mmio.device.back_end.watch(|| mmio.tell_used(raise));
    mmio.tell_used(raise);
    loop {
        sys::poll(-1, 0, None);
    }
}
