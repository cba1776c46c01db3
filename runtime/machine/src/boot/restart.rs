//! A machine that starts again: the process replaces itself by a fresh start of its own program.
//!
//! The sandbox opens no file, and a name may mean another file by now. So what was open stays open, and
//! the environment tells the new start which descriptors are what:
//! `LINNET_KEPT=PROCESS,PROGRAM,SNAPSHOTS:..,TRANSLATOR,DISK,...;SOCKET,KICK,KICK,CALL,MAC;SOCKET,KICK,KICK,CALL;...`, in
//! decimal. The second part is that of the network, and of its address on the link the lower three bytes; it may be
//! empty. One for each shared folder follows.

use crate::device::virtio::front_end::Descriptors;
use crate::device::virtio::net::{self, Mac};
use crate::device::virtio::{self, MAX_DISKS, shares};
use crate::host::exit::{self, fatal};
use crate::host::{sys, terminal};
use crate::memory::{loaded, tlb};
use core::fmt::Write;
use core::sync::atomic::{AtomicI32, Ordering};
use linnet_device::sys::Fd;
use linnet_share::options::MAX_SHARES;
use linnet_snapshot::MOST_FILES;

use super::cpio::Archive;

/// The name of the variable, with what follows it.
const VARIABLE: &[u8] = b"LINNET_KEPT=";

/// This program, to start it again; -1 if the host does not show it.
static PROGRAM: AtomicI32 = AtomicI32::new(-1);

/// What was kept from before a restart.
pub struct Kept {
    snapshots: [i32; MOST_FILES],
    translator: i32,
    disks: [i32; MAX_DISKS],
    network: Option<[i32; 5]>,
    shares: [Option<Descriptors>; MAX_SHARES],
}

impl Kept {
    /// From the value of the variable. It is another process's if somebody has put it there.
    pub fn parse(text: &str) -> Option<Kept> {
        let mut parts = text.split(';');
        let mut words = parts.next()?.split(',');
        let mut number = || words.next()?.parse::<i32>().ok();
        if number()? != sys::getpid() as i32 {
            return None;
        }
        PROGRAM.store(number()?, Ordering::Relaxed);
        let mut snapshots = [-1; MOST_FILES];
        let list = words.next()?.split(':').filter(|text| !text.is_empty());
        for (to, number) in snapshots.iter_mut().zip(list) {
            *to = number.parse().ok()?;
        }
        let mut numbers = words.map(str::parse::<i32>);
        let translator = numbers.next()?.ok()?;
        let mut kept = Kept {
            snapshots,
            translator,
            disks: [-1; MAX_DISKS],
            network: None,
            shares: [None; MAX_SHARES],
        };
        for (to, number) in kept.disks.iter_mut().zip(numbers) {
            *to = number.ok()?;
        }
        if let Some(text) = parts.next().filter(|text| !text.is_empty()) {
            kept.network = Some(numbers_of(text)?);
        }
        for (to, text) in kept.shares.iter_mut().zip(parts) {
            *to = Some(descriptors(numbers_of(text)?));
        }
        Some(kept)
    }

    /// The descriptors of shared folders.
    pub fn shares(&self) -> [Option<Descriptors>; MAX_SHARES] {
        self.shares
    }

    /// The descriptors of what snapshots go to: files, or the process that connects to another machine.
    pub fn snapshots(&self) -> impl Iterator<Item = i32> {
        self.snapshots.into_iter().take_while(|fd| *fd >= 0)
    }

    /// The socket to the translator.
    pub fn translator(&self) -> Option<Fd> {
        (self.translator >= 0).then(|| Fd::own(self.translator))
    }

    /// The descriptors of the network, and its address on the link.
    pub fn network(&self) -> Option<(Descriptors, Mac)> {
        let [socket, first, second, call, mac] = self.network?;
        let [_, high, middle, low] = mac.to_be_bytes();
        Some((descriptors([socket, first, second, call]), [0x52, 0x54, 0, high, middle, low]))
    }

    /// The descriptor of a disk.
    pub fn disk(&self, n: usize) -> i32 {
        self.disks[n]
    }
}

/// Numbers between commas.
fn numbers_of<const N: usize>(text: &str) -> Option<[i32; N]> {
    let mut numbers = [0; N];
    let mut texts = text.split(',');
    for to in &mut numbers {
        *to = texts.next()?.parse().ok()?;
    }
    Some(numbers)
}

fn descriptors([socket, first, second, call]: [i32; 4]) -> Descriptors {
    Descriptors { socket, kicks: [first, second], call }
}

/// The value of the variable, if this is such an assignment.
pub fn value(assignment: &[u8]) -> Option<&str> {
    core::str::from_utf8(assignment.strip_prefix(VARIABLE)?).ok()
}

/// Find this program, also where there is no /proc. `name` is what the host has started.
pub fn find_program(name: Option<&core::ffi::CStr>) -> Option<i32> {
    if PROGRAM.load(Ordering::Relaxed) < 0 {
        let found = [Some(c"/proc/self/exe"), name].into_iter().flatten().map(sys::open_path);
        PROGRAM.store(found.into_iter().find(|fd| *fd >= 0).unwrap_or(-1), Ordering::Relaxed);
    }
    Some(PROGRAM.load(Ordering::Relaxed)).filter(|fd| *fd >= 0)
}

/// Start the process again. `snapshots` is what they go to, see [`Kept::snapshots`].
///
/// # Safety
/// Both must be null-terminated arrays of strings.
pub unsafe fn restart(
    argv: *const *const u8,
    envp: *const *const u8,
    snapshots: impl Iterator<Item = i32>,
) -> ! {
    terminal::restore();
    let mut text = [0; 1024];
    let mut assignment = Archive::new(&mut text);
    assignment.bytes(VARIABLE);
    let program = PROGRAM.load(Ordering::Relaxed);
    let _ = write!(assignment, "{},{program},", sys::getpid());
    for fd in snapshots {
        let _ = write!(assignment, "{fd}:");
    }
    let _ = write!(assignment, ",{}", loaded::socket());
    for fd in virtio::descriptors() {
        let _ = write!(assignment, ",{fd}");
    }
    if let Some((Descriptors { socket, kicks: [first, second], call }, mac)) = net::keep() {
        let mac = u32::from_be_bytes([0, mac[3], mac[4], mac[5]]);
        let _ = write!(assignment, ";{socket},{first},{second},{call},{mac}");
    } else {
        let _ = write!(assignment, ";");
    }
    for Descriptors { socket, kicks: [first, second], call } in shares::keep() {
        let _ = write!(assignment, ";{socket},{first},{second},{call}");
    }
    let _ = write!(assignment, "\0");
    // SAFETY: the caller's promise; the new array has room for all, and lives until the process ends.
    let r = unsafe {
        let mut count = 0;
        while !(*envp.add(count)).is_null() {
            count += 1;
        }
        let array = new_array(count + 2);
        *array = text.as_ptr();
        let mut to = array.add(1);
        for i in 0..count {
            let old = *envp.add(i);
            if value(core::ffi::CStr::from_ptr(old.cast()).to_bytes()).is_none() {
                *to = old;
                to = to.add(1);
            }
        }
        sys::exec(program, argv, array)
    };
    fatal!(exit::HOST, "the host refuses to start this file again (errno {})", -r);
}

/// Room for pointers, all null. There is some: what the guest has mapped is not needed any more.
fn new_array(len: usize) -> *mut *const u8 {
    tlb::flush_all();
    let flags = sys::MAP_PRIVATE | sys::MAP_ANONYMOUS;
    let size = len * size_of::<*const u8>();
    // SAFETY: a new mapping wherever there is room.
    let r = unsafe { sys::mmap(0, size, sys::PROT_READ | sys::PROT_WRITE, flags, -1, 0) };
    if r < 0 {
        fatal!(exit::HOST, "the host has no memory to start this file again");
    }
    r as *mut *const u8
}
