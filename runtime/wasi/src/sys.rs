//! System calls of the host, with results in place of negative numbers.

use crate::errno::{Errno, Result};
use alloc::vec::Vec;
use core::ffi::CStr;
pub use linnet_host::nr;
use linnet_host::{KernelSigaction, syscall};

fn result(value: isize) -> Result<usize> {
    if (-4095..0).contains(&value) { Err(Errno::from_host(-value)) } else { Ok(value as usize) }
}

/// Makes a system call.
///
/// # Safety
/// What the call does to memory must be what its caller may do.
pub unsafe fn call(nr: usize, a: [usize; 6]) -> Result<usize> {
    // SAFETY: the caller's promise.
    result(unsafe { syscall(nr, a) })
}

/// A call whose arguments are numbers.
pub fn plain(nr: usize, a: [usize; 4]) -> Result<usize> {
    // SAFETY: only used with calls that touch no memory of the process.
    unsafe { call(nr, [a[0], a[1], a[2], a[3], 0, 0]) }
}

/// A descriptor of the host that is closed with its last owner.
#[derive(Debug)]
pub struct Fd(i32);

impl Fd {
    /// What a call has returned. It is none of the standard streams, which may be closed.
    pub fn new(number: usize) -> Result<Fd> {
        const DUPFD_CLOEXEC: usize = 1030;
        let fd = Fd(number as i32);
        if number > 2 {
            return Ok(fd);
        }
        Ok(Fd(plain(nr::FCNTL, [number, DUPFD_CLOEXEC, 3, 0])? as i32))
    }

    /// One that stays open as long as the process lives.
    pub fn number(&self) -> i32 {
        self.0
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // An error is no use to anybody: the descriptor is gone.
        let _ = plain(nr::CLOSE, [self.0 as usize, 0, 0, 0]);
    }
}

/// Flags of `open`. The ISAs differ in two.
pub mod open {
    pub const WRONLY: usize = 1;
    pub const RDWR: usize = 2;
    pub const CREAT: usize = 0o100;
    pub const EXCL: usize = 0o200;
    pub const NOCTTY: usize = 0o400;
    pub const TRUNC: usize = 0o1000;
    pub const APPEND: usize = 0o2000;
    pub const NONBLOCK: usize = 0o4000;
    pub const DSYNC: usize = 0o10000;
    pub const SYNC: usize = 0o4010000;
    #[cfg(target_arch = "aarch64")]
    pub const DIRECTORY: usize = 0o40000;
    #[cfg(not(target_arch = "aarch64"))]
    pub const DIRECTORY: usize = 0o200000;
    #[cfg(target_arch = "aarch64")]
    pub const NOFOLLOW: usize = 0o100000;
    #[cfg(not(target_arch = "aarch64"))]
    pub const NOFOLLOW: usize = 0o400000;
    pub const CLOEXEC: usize = 0o2000000;
    pub const PATH: usize = 0o10000000;
}

pub const CWD: i32 = -100;

/// `openat`
pub fn openat(directory: i32, path: &CStr, flags: usize, mode: usize) -> Result<Fd> {
    let flags = flags | open::CLOEXEC | open::NOCTTY;
    // SAFETY: reads the path only.
    Fd::new(unsafe {
        call(nr::OPENAT, [directory as usize, path.as_ptr() as usize, flags, mode, 0, 0])?
    })
}

/// A call about a name in a directory.
pub fn at(nr: usize, directory: i32, name: &CStr, a: [usize; 2]) -> Result<usize> {
    let name = name.as_ptr() as usize;
    // SAFETY: only used with calls that read the name and nothing else.
    unsafe { call(nr, [directory as usize, name, a[0], a[1], 0, 0]) }
}

/// What a symbolic link says.
pub fn readlinkat(directory: i32, name: &CStr) -> Result<Vec<u8>> {
    const LONGEST: usize = 4096;
    let mut text = Vec::with_capacity(LONGEST);
    let a = [directory as usize, name.as_ptr() as usize, text.as_mut_ptr() as usize, LONGEST, 0, 0];
    // SAFETY: reads the name, and writes to the room of the text.
    unsafe {
        let length = call(nr::READLINKAT, a)?;
        text.set_len(length);
    }
    Ok(text)
}

/// `struct stat` of the host.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Stat {
    pub device: u64,
    pub inode: u64,
    #[cfg(target_arch = "x86_64")]
    links: u64,
    mode: u32,
    #[cfg(not(target_arch = "x86_64"))]
    links: u32,
    owners: [u32; 2],
    #[cfg(target_arch = "x86_64")]
    padding: u32,
    special: u64,
    #[cfg(not(target_arch = "x86_64"))]
    padding: u64,
    pub size: u64,
    block_size: u64,
    blocks: u64,
    /// Seconds and nanoseconds of access, modification and change.
    pub times: [[u64; 2]; 3],
    rest: [u64; 3],
}

/// Kinds of files in a mode.
pub mod mode {
    pub const CHARACTER: u32 = 0o020000;
    pub const DIRECTORY: u32 = 0o040000;
    pub const BLOCK: u32 = 0o060000;
    pub const REGULAR: u32 = 0o100000;
    pub const LINK: u32 = 0o120000;
    pub const SOCKET: u32 = 0o140000;
}

impl Stat {
    /// One of [`mode`].
    pub fn kind(&self) -> u32 {
        self.mode & 0o170000
    }

    #[allow(clippy::useless_conversion, reason = "on other ISAs it is a number of 32 bits")]
    pub fn links(&self) -> u64 {
        u64::from(self.links)
    }
}

#[cfg(target_arch = "x86_64")]
const _: () = assert!(size_of::<Stat>() == 144);
const _: () = assert!(core::mem::offset_of!(Stat, times) == 72);

const EMPTY_PATH: usize = 0x1000;
pub const NOFOLLOW: usize = 0x100;

/// About an open file, also one that was opened as a path only.
pub fn fstat(file: i32) -> Result<Stat> {
    let mut stat = Stat::default();
    // SAFETY: writes the structure, which is as large as the host's or larger.
    unsafe { call(nr::FSTAT, [file as usize, &raw mut stat as usize, 0, 0, 0, 0])? };
    Ok(stat)
}

/// About a name in a directory; of a link, about the link.
pub fn stat(directory: i32, name: &CStr) -> Result<Stat> {
    let mut stat = Stat::default();
    let a = [directory as usize, name.as_ptr() as usize, &raw mut stat as usize, NOFOLLOW, 0, 0];
    // SAFETY: as in `fstat`.
    unsafe { call(nr::NEWFSTATAT, a)? };
    Ok(stat)
}

/// Sets times of a name in a directory, or of an open file. Those of a link are the link's.
pub fn set_times(directory: i32, name: Option<&CStr>, times: &[[u64; 2]; 2]) -> Result<()> {
    let times = times.as_ptr() as usize;
    let directory = directory as usize;
    // SAFETY: reads the name and the times only.
    unsafe {
        match name {
            Some(name) => {
                call(nr::UTIMENSAT, [directory, name.as_ptr() as usize, times, NOFOLLOW, 0, 0])
            }
            // Files that were opened as paths only need the flag, and QEMU's user mode wants no name here.
            None => match call(nr::UTIMENSAT, [directory, 0, times, 0, 0, 0]) {
                Err(Errno::BADF) => {
                    let name = c"".as_ptr() as usize;
                    call(nr::UTIMENSAT, [directory, name, times, EMPTY_PATH, 0, 0])
                }
                done => done,
            },
        }
    }
    .map(drop)
}

/// A clock of the host, in ns.
pub fn clock(nr: usize, clock: usize) -> Result<u64> {
    let mut time = [0_u64; 2];
    // SAFETY: writes the two words.
    unsafe { call(nr, [clock, time.as_mut_ptr() as usize, 0, 0, 0, 0])? };
    Ok(time[0].saturating_mul(1_000_000_000).saturating_add(time[1]))
}

/// Writes all of it to a descriptor of the host.
pub fn write_all(file: usize, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        // SAFETY: reads the bytes only.
        match unsafe { call(nr::WRITE, [file, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0]) } {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Ends the process.
pub fn exit(status: u32) -> ! {
    loop {
        let _ = plain(nr::EXIT_GROUP, [status as usize, 0, 0, 0]);
    }
}

/// Zeroed memory for good, with an inaccessible part before it.
pub fn memory(hole: usize, size: usize) -> Result<usize> {
    const READ_WRITE: usize = 3;
    const PRIVATE_ANONYMOUS_NORESERVE: usize = 0x4022;
    let a = [0, hole + size, 0, PRIVATE_ANONYMOUS_NORESERVE, usize::MAX, 0];
    // SAFETY: a new mapping, wherever there is room.
    let at = unsafe { call(nr::MMAP, a)? };
    // SAFETY: a part of what was mapped just now.
    unsafe { call(nr::MPROTECT, [at + hole, size, READ_WRITE, 0, 0, 0])? };
    Ok(at + hole)
}

/// Sends a signal to this process. Comes back if it is ignored or handled.
pub fn raise(signal: usize) -> Result<()> {
    let process = plain(nr::GETPID, [0; 4])?;
    plain(nr::KILL, [process, signal, 0, 0]).map(drop)
}

/// Lets a signal do what it does to a program that cares for nothing.
pub fn set_default(signal: usize) {
    set_handler(signal, 0, 0);
}

/// Runs a function at a signal, also one that this process was started to block. It must not come back.
pub fn at_signal(signal: usize, handler: extern "C" fn(i32) -> !) {
    const SA_ONSTACK: usize = 0x0800_0000;
    const UNBLOCK: usize = 1;
    set_handler(signal, handler as *const () as usize, SA_ONSTACK);
    let set = 1_u64 << (signal - 1);
    // SAFETY: reads the set only.
    let _ = unsafe { call(nr::RT_SIGPROCMASK, [UNBLOCK, &raw const set as usize, 0, 8, 0, 0]) };
}

fn set_handler(signal: usize, handler: usize, flags: usize) {
    let action = KernelSigaction::new(handler, flags);
    // SAFETY: the structure lives through the call; a handler may run at any point.
    let _ = unsafe { call(nr::RT_SIGACTION, [signal, &raw const action as usize, 0, 8, 0, 0]) };
}

/// Has SIGALRM come in so many ns.
pub fn alarm(ns: u64) {
    const REAL: usize = 0;
    let timer = [0, 0, ns / 1_000_000_000, (ns % 1_000_000_000).div_ceil(1000)];
    // SAFETY: reads the four words.
    let _ = unsafe { call(nr::SETITIMER, [REAL, timer.as_ptr() as usize, 0, 0, 0, 0]) };
}
