//! System calls of the host that the device process makes.

mod event;
mod socket;

pub use event::*;
pub use socket::*;

use linnet_host::{nr, syscall};

/// An error number of Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    pub const NOENT: Errno = Errno(2);
    pub const INTR: Errno = Errno(4);
    pub const NAMETOOLONG: Errno = Errno(36);
    pub const AGAIN: Errno = Errno(11);
    pub const NOMEM: Errno = Errno(12);
    pub const NFILE: Errno = Errno(23);
    pub const MFILE: Errno = Errno(24);
    pub const CONNREFUSED: Errno = Errno(111);
    pub const ADDRNOTAVAIL: Errno = Errno(99);
    pub const NOBUFS: Errno = Errno(105);
    pub const ADDRINUSE: Errno = Errno(98);
    pub const INPROGRESS: Errno = Errno(115);
}

pub type Result<T> = core::result::Result<T, Errno>;

/// Make a system call.
///
/// # Safety
/// What the call does to memory must be what its caller may do.
pub unsafe fn call(nr: usize, a: [usize; 6]) -> Result<usize> {
    // SAFETY: the caller's promise.
    let r = unsafe { syscall(nr, a) };
    if r < 0 { Err(Errno(-r as i32)) } else { Ok(r as usize) }
}

/// A descriptor that is closed with its owner.
#[derive(Debug)]
pub struct Fd(i32);

impl Fd {
    /// One that nobody else owns.
    #[must_use]
    pub fn own(number: i32) -> Fd {
        Fd(number)
    }

    #[must_use]
    pub fn number(&self) -> i32 {
        self.0
    }

    /// It stays open as long as the process lives.
    #[must_use]
    pub fn leak(self) -> i32 {
        let number = self.0;
        core::mem::forget(self);
        number
    }

    fn raw(&self) -> usize {
        self.0 as usize
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // SAFETY: closing touches no memory. An error is no use to anybody: the descriptor is gone.
        unsafe { syscall(nr::CLOSE, [self.raw(), 0, 0, 0, 0, 0]) };
    }
}

/// End the process.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: does not return.
        unsafe { syscall(nr::EXIT_GROUP, [status as usize, 0, 0, 0, 0, 0]) };
    }
}

/// Write text to standard error.
pub fn complain(text: &str) {
    // SAFETY: reads the text only.
    unsafe { syscall(nr::WRITE, [2, text.as_ptr() as usize, text.len(), 0, 0, 0]) };
}

/// Random bytes.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: writes to the bytes only.
    unsafe { syscall(nr::GETRANDOM, [bytes.as_mut_ptr() as usize, bytes.len(), 0, 0, 0, 0]) };
    u64::from_le_bytes(bytes)
}

/// Nanoseconds on the monotonic clock.
pub fn now() -> u64 {
    const MONOTONIC: usize = 1;
    let mut time = [0_u64; 2];
    // SAFETY: writes to the time only.
    unsafe { syscall(nr::CLOCK_GETTIME, [MONOTONIC, time.as_mut_ptr() as usize, 0, 0, 0, 0]) };
    time[0] * 1_000_000_000 + time[1]
}

/// Read what is there.
pub fn read(fd: &Fd, to: &mut [u8]) -> Result<usize> {
    // SAFETY: writes to the buffer only.
    unsafe { call(nr::READ, [fd.raw(), to.as_mut_ptr() as usize, to.len(), 0, 0, 0]) }
}

/// Write.
pub fn write(fd: &Fd, bytes: &[u8]) -> Result<usize> {
    // SAFETY: reads the bytes only.
    unsafe { call(nr::WRITE, [fd.raw(), bytes.as_ptr() as usize, bytes.len(), 0, 0, 0]) }
}

/// Map `size` bytes of a file for reading and writing: where.
pub fn map_shared(fd: &Fd, size: u64, offset: u64) -> Result<usize> {
    const READ_WRITE: usize = 3;
    const SHARED: usize = 1;
    // SAFETY: a new mapping wherever there is room.
    unsafe { call(nr::MMAP, [0, size as usize, READ_WRITE, SHARED, fd.raw(), offset as usize]) }
}

/// Unmap what [`map_shared`] has mapped.
///
/// # Safety
/// Nobody may use it any more.
pub unsafe fn unmap(at: usize, size: u64) {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MUNMAP, [at, size as usize, 0, 0, 0, 0]) };
}

/// Read a small file.
pub fn read_file<'a>(path: &core::ffi::CStr, to: &'a mut [u8]) -> Result<&'a [u8]> {
    let fd = open(path, false)?;
    let mut len = 0;
    loop {
        match read(&fd, &mut to[len..])? {
            0 => return Ok(&to[..len]),
            n => len += n,
        }
    }
}

/// Open a file, to write to it as well or not.
pub fn open(path: &core::ffi::CStr, writable: bool) -> Result<Fd> {
    const CWD: usize = -100_isize as usize;
    const CLOEXEC: usize = 0o2000000;
    const NONBLOCK: usize = 0o4000;
    const RDWR: usize = 2;
    let flags = CLOEXEC | NONBLOCK | if writable { RDWR } else { 0 };
    // SAFETY: reads the path only.
    unsafe { call(nr::OPENAT, [CWD, path.as_ptr() as usize, flags, 0, 0, 0]) }
        .map(|fd| Fd(fd as i32))
}

/// Give this process as many descriptors as it may have: how many.
pub fn raise_descriptor_limit() -> usize {
    const NOFILE: usize = 7;
    const USUAL: u64 = 1024;
    let mut limit = [USUAL; 2];
    let at = limit.as_mut_ptr() as usize;
    // SAFETY: writes to the limit only.
    if unsafe { call(nr::PRLIMIT64, [0, NOFILE, 0, at, 0, 0]) }.is_ok() {
        let most = [limit[1]; 2];
        // SAFETY: reads the limit only.
        if unsafe { call(nr::PRLIMIT64, [0, NOFILE, most.as_ptr() as usize, 0, 0, 0]) }.is_ok() {
            limit = most;
        }
    }
    usize::try_from(limit[0]).unwrap_or(usize::MAX)
}

/// Write two parts at once.
pub fn write_parts(fd: &Fd, parts: [&[u8]; 2]) -> Result<usize> {
    let list = parts.map(|part| [part.as_ptr() as usize, part.len()]);
    // SAFETY: reads the parts only.
    unsafe { call(nr::WRITEV, [fd.raw(), list.as_ptr() as usize, list.len(), 0, 0, 0]) }
}

/// Read into two parts at once.
pub fn read_parts(fd: &Fd, parts: [&mut [u8]; 2]) -> Result<usize> {
    let list = parts.map(|part| [part.as_mut_ptr() as usize, part.len()]);
    // SAFETY: writes to the parts only.
    unsafe { call(nr::READV, [fd.raw(), list.as_ptr() as usize, list.len(), 0, 0, 0]) }
}

/// Control a device with a number or a structure that is only read.
pub fn control(fd: &Fd, request: usize, argument: usize) -> Result<()> {
    // SAFETY: only used with requests that write to nothing but what they are given.
    unsafe { call(nr::IOCTL, [fd.raw(), request, argument, 0, 0, 0])? };
    Ok(())
}

/// Have reads and writes of a descriptor wait, and have it stay open when the process starts another program.
pub fn make_plain(fd: &Fd) -> Result<()> {
    const SETFD: usize = 2;
    const SETFL: usize = 4;
    // SAFETY: touches no memory.
    unsafe {
        call(nr::FCNTL, [fd.raw(), SETFD, 0, 0, 0, 0])?;
        call(nr::FCNTL, [fd.raw(), SETFL, 0, 0, 0, 0])?;
    }
    Ok(())
}

/// Have reads and writes of a descriptor not wait, and have it stay open when the process starts another program.
pub fn never_wait(fd: &Fd) -> Result<()> {
    const SETFL: usize = 4;
    const NONBLOCK: usize = 0o4000;
    // SAFETY: touches no memory.
    unsafe { call(nr::FCNTL, [fd.raw(), SETFL, NONBLOCK, 0, 0, 0])? };
    Ok(())
}

/// Become another program, which has one descriptor as standard input, standard error, and no others. Comes back
/// only if that fails.
///
/// # Safety
/// `argv` and `envp` must be null-terminated arrays of strings.
pub unsafe fn become_program(
    input: &Fd,
    path: &core::ffi::CStr,
    argv: *const *const u8,
    envp: *const *const u8,
) -> Errno {
    // SAFETY: nobody else uses descriptors in this process; then the caller's promise.
    let result = unsafe {
        call(nr::DUP3, [input.raw(), 0, 0, 0, 0, 0]).and_then(|_| {
            syscall(nr::CLOSE, [1, 0, 0, 0, 0, 0]);
            syscall(nr::CLOSE_RANGE, [3, u32::MAX as usize, 0, 0, 0, 0]);
            call(nr::EXECVE, [path.as_ptr() as usize, argv as usize, envp as usize, 0, 0, 0])
        })
    };
    result.err().unwrap_or(Errno::NOENT)
}

/// A descriptor that is closed when the process starts another program.
pub fn close_on_exec(fd: &Fd) -> Result<()> {
    const SETFD: usize = 2;
    const CLOEXEC: usize = 1;
    // SAFETY: touches no memory.
    unsafe { call(nr::FCNTL, [fd.raw(), SETFD, CLOEXEC, 0, 0, 0])? };
    Ok(())
}

/// Close all descriptors but standard error and one other.
pub fn close_others(kept: &Fd) {
    const STDERR: usize = 2;
    let ranges = [
        (0, STDERR - 1),
        (STDERR + 1, kept.raw().wrapping_sub(1)),
        (kept.raw() + 1, u32::MAX as usize),
    ];
    for (first, last) in ranges {
        if first <= last {
            // SAFETY: nobody uses them in this process. A host that does not know the call leaves them open.
            unsafe { syscall(nr::CLOSE_RANGE, [first, last, 0, 0, 0, 0]) };
        }
    }
}

/// Ignore signals that are meant for the machine, which lives as long as this process is to.
pub fn ignore_signals() {
    const IGNORE: usize = 1;
    // HUP, INT, QUIT, USR1, USR2, PIPE, ALRM, TERM, TSTP, TTIN, TTOU, XFSZ
    for signal in [1, 2, 3, 10, 12, 13, 14, 15, 20, 21, 22, 25] {
        let action = linnet_host::KernelSigaction::new(IGNORE, 0);
        // SAFETY: reads the action only.
        unsafe { syscall(nr::RT_SIGACTION, [signal, &raw const action as usize, 0, 8, 0, 0]) };
    }
}

/// Name this process for tools of the host.
pub fn name(name: &core::ffi::CStr) {
    const SET_NAME: usize = 15;
    // SAFETY: reads the name only.
    unsafe { syscall(nr::PRCTL, [SET_NAME, name.as_ptr() as usize, 0, 0, 0, 0]) };
}

/// Wait.
pub fn sleep_ms(ms: u32) {
    if let Ok(epoll) = Epoll::new() {
        epoll.wait(&mut [Event::NONE], Some(ms));
    }
}

/// Start a process that is a copy of this one, which has one thread: true in the copy.
pub fn fork() -> Result<bool> {
    const SIGCHLD: usize = 17;
    // SAFETY: the copy has memory of its own, and there are no other threads that it would lack.
    Ok(unsafe { call(nr::CLONE, [SIGCHLD, 0, 0, 0, 0, 0])? } == 0)
}
