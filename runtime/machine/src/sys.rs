//! The host kernel's system calls that the runtime uses, and nothing else of the host.
//!
//! There is no libc: every call returns the kernel's value, a negative errno on failure.

use core::ffi::CStr;
use core::ptr;
use core::sync::atomic::AtomicU32;
use linnet_host::nr;
pub use linnet_host::syscall;

pub const PROT_READ: usize = 1;
pub const PROT_WRITE: usize = 2;
pub const MAP_SHARED: usize = 0x01;
pub const MAP_PRIVATE: usize = 0x02;
pub const MAP_FIXED: usize = 0x10;
pub const MAP_ANONYMOUS: usize = 0x20;
pub const MAP_NORESERVE: usize = 0x4000;
pub const MAP_POPULATE: usize = 0x8000;
pub const MAP_FIXED_NOREPLACE: usize = 0x10_0000;
pub const MADV_DONTNEED: usize = 4;
/// Since Linux 6.1, whatever `/sys/kernel/mm/transparent_hugepage` says.
pub const MADV_COLLAPSE: usize = 25;

pub const EINTR: isize = -4;
pub const EAGAIN: i32 = -11;
pub const ENOENT: i32 = -2;

pub const CLOCK_REALTIME: usize = 0;
pub const CLOCK_MONOTONIC: usize = 1;

const FUTEX_WAKE: usize = 1;
const FUTEX_WAIT_BITSET: usize = 9;
const FUTEX_PRIVATE: usize = 128;

/// How clone(2) makes a thread: VM | FS | FILES | SIGHAND | THREAD | SYSVSEM.
pub const THREAD_FLAGS: usize = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000;

#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Timespec {
    pub seconds: i64,
    pub nanoseconds: i64,
}

impl Timespec {
    /// From nanoseconds.
    pub fn from_ns(ns: u64) -> Self {
        Timespec { seconds: (ns / 1_000_000_000) as i64, nanoseconds: (ns % 1_000_000_000) as i64 }
    }

    /// To nanoseconds.
    pub fn ns(self) -> u64 {
        self.seconds as u64 * 1_000_000_000 + self.nanoseconds as u64
    }
}

/// Map memory; the address or a negative errno.
///
/// # Safety
/// With `MAP_FIXED` whatever lay in the range is gone: nothing but guest memory or nothing at all
/// may lie there.
pub unsafe fn mmap(
    address: usize,
    len: usize,
    prot: usize,
    flags: usize,
    fd: i32,
    offset: u64,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MMAP, [address, len, prot, flags, fd as usize, offset as usize]) }
}

/// Unmap memory.
///
/// # Safety
/// Nothing but guest memory may lie in the range.
pub unsafe fn munmap(address: usize, len: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MUNMAP, [address, len, 0, 0, 0, 0]) }
}

/// Change what may be done with memory.
///
/// # Safety
/// Nothing but guest memory may lie in the range.
pub unsafe fn mprotect(address: usize, len: usize, prot: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MPROTECT, [address, len, prot, 0, 0, 0]) }
}

/// Advise about memory.
///
/// # Safety
/// Some advices drop contents: nobody may need what lies in the range then.
pub unsafe fn madvise(address: usize, len: usize, advice: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::MADVISE, [address, len, advice, 0, 0, 0]) }
}

/// A new memory file of `size` bytes, or a negative errno.
pub fn memfd(size: u64) -> i32 {
    const MFD_CLOEXEC: usize = 1;
    // SAFETY: both calls only make and size a new file.
    unsafe {
        let fd =
            syscall(nr::MEMFD_CREATE, [c"linnet-ram".as_ptr() as usize, MFD_CLOEXEC, 0, 0, 0, 0]);
        if fd < 0 {
            return fd as i32;
        }
        let r = syscall(nr::FTRUNCATE, [fd as usize, size as usize, 0, 0, 0, 0]);
        if r < 0 { r as i32 } else { fd as i32 }
    }
}

/// Open `/dev/null` for each standard stream that is closed, so that no file of ours takes its place.
pub fn open_standard_streams() {
    const F_GETFD: usize = 1;
    const O_RDWR: usize = 2;
    const AT_FDCWD: usize = -100_isize as usize;
    for fd in 0..3 {
        // SAFETY: asks about a descriptor; opens a file.
        unsafe {
            if syscall(nr::FCNTL, [fd, F_GETFD, 0, 0, 0, 0]) < 0 {
                let path = c"/dev/null".as_ptr() as usize;
                syscall(nr::OPENAT, [AT_FDCWD, path, O_RDWR, 0, 0, 0]);
            }
        }
    }
}

/// Free a range of a memory file. Mappings of it stay and read as zeros.
pub fn punch_hole(fd: i32, offset: u64, size: u64) {
    const FALLOC_FL_KEEP_SIZE: usize = 1;
    const FALLOC_FL_PUNCH_HOLE: usize = 2;
    let mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
    // SAFETY: the memory file holds guest memory only, and the guest says that it is free.
    unsafe {
        syscall(nr::FALLOCATE, [fd as usize, mode, offset as usize, size as usize, 0, 0]);
    }
}

/// Close a file of the runtime's own.
pub fn close(fd: i32) {
    // SAFETY: closing touches no memory.
    unsafe { syscall(nr::CLOSE, [fd as usize, 0, 0, 0, 0, 0]) };
}

/// Why a file cannot be used: what was tried, and the host's error.
#[derive(Debug)]
pub struct FileError {
    what: &'static str,
    errno: i32,
}

impl core::fmt::Display for FileError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let reason = match self.errno {
            2 => "No such file or directory",
            11 => "another process uses it",
            13 => "Permission denied",
            21 => "Is a directory",
            30 => "Read-only file system",
            errno => return write!(f, "cannot {} it (errno {errno})", self.what),
        };
        f.write_str(reason)
    }
}

fn checked(what: &'static str, result: isize) -> Result<usize, FileError> {
    usize::try_from(result).map_err(|_| FileError { what, errno: -result as i32 })
}

/// Number of the descriptor of disk 0.
const FIRST_DISK: usize = 100;

/// Open a file as disk `n` and lock it: nobody else may write what this machine uses.
pub fn open_disk(path: &CStr, read_only: bool, n: u32) -> Result<i32, FileError> {
    const AT_FDCWD: usize = -100_isize as usize;
    const O_RDWR: usize = 2;
    const F_DUPFD: usize = 0;
    const LOCK_SHARED: usize = 1;
    const LOCK_EXCLUSIVE: usize = 2;
    const LOCK_AT_ONCE: usize = 4;
    let place = FIRST_DISK + n as usize;
    let (flags, lock) = if read_only { (0, LOCK_SHARED) } else { (O_RDWR, LOCK_EXCLUSIVE) };
    // SAFETY: the path lives through the call; the others are about descriptors.
    unsafe {
        let path = path.as_ptr() as usize;
        let fd = checked("open", syscall(nr::OPENAT, [AT_FDCWD, path, flags, 0, 0, 0]))?;
        checked("lock", syscall(nr::FLOCK, [fd, lock | LOCK_AT_ONCE, 0, 0, 0, 0]))?;
        let moved = checked("keep", syscall(nr::FCNTL, [fd, F_DUPFD, place, 0, 0, 0]))?;
        close(fd as i32);
        Ok(moved as i32)
    }
}

/// The descriptor of disk `n` of the machine that this process was before a restart.
pub fn kept_disk(n: u32) -> i32 {
    FIRST_DISK as i32 + n as i32
}

/// Size of a file or a block device in bytes.
pub fn size(fd: i32) -> Result<u64, FileError> {
    const SEEK_END: usize = 2;
    // SAFETY: moves a position that nothing uses.
    let end = unsafe { syscall(nr::LSEEK, [fd as usize, 0, SEEK_END, 0, 0, 0]) };
    checked("measure", end).map(|end| end as u64)
}

/// A part of memory, as readv(2) and writev(2) take it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub start: *mut u8,
    pub len: usize,
}

/// Read at an offset of a file; bytes or a negative errno.
///
/// # Safety
/// The parts must be valid for writes, or lie in guest memory.
pub unsafe fn preadv(fd: i32, parts: &[Part], offset: u64) -> isize {
    let list = parts.as_ptr() as usize;
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::PREADV, [fd as usize, list, parts.len(), offset as usize, 0, 0]) }
}

/// Write at an offset of a file; bytes or a negative errno.
///
/// # Safety
/// The parts must be valid for reads, or lie in guest memory.
pub unsafe fn pwritev(fd: i32, parts: &[Part], offset: u64) -> isize {
    let list = parts.as_ptr() as usize;
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::PWRITEV, [fd as usize, list, parts.len(), offset as usize, 0, 0]) }
}

/// Put what was written to a file on its disk.
pub fn fdatasync(fd: i32) -> isize {
    // SAFETY: touches no memory.
    unsafe { syscall(nr::FDATASYNC, [fd as usize, 0, 0, 0, 0, 0]) }
}

/// Read into `len` bytes at `buffer`.
///
/// # Safety
/// The buffer must be valid for writes of `len` bytes, or lie in guest memory.
pub unsafe fn read(fd: i32, buffer: *mut u8, len: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::READ, [fd as usize, buffer as usize, len, 0, 0, 0]) }
}

/// Write `len` bytes at `buffer`.
///
/// # Safety
/// The buffer must be valid for reads of `len` bytes, or lie in guest memory.
pub unsafe fn write(fd: i32, buffer: *const u8, len: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::WRITE, [fd as usize, buffer as usize, len, 0, 0, 0]) }
}

/// Fill a buffer with random bytes.
///
/// # Safety
/// The buffer must be valid for writes of `len` bytes, or lie in guest memory.
pub unsafe fn getrandom(buffer: *mut u8, len: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::GETRANDOM, [buffer as usize, len, 0, 0, 0, 0]) }
}

/// Control a terminal.
///
/// # Safety
/// `argument` must fit `request`.
pub unsafe fn ioctl(fd: i32, request: usize, argument: usize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { syscall(nr::IOCTL, [fd as usize, request, argument, 0, 0, 0]) }
}

pub const POLLIN: i16 = 1;
pub const POLLOUT: i16 = 4;

/// Wait until `events` are there on `fd`: 1, or 0 after the time, or a negative errno.
pub fn poll(fd: i32, events: i16, timeout: Option<Timespec>) -> isize {
    #[repr(C)]
    struct PollFd {
        fd: i32,
        events: i16,
        revents: i16,
    }
    let mut pollfd = PollFd { fd, events, revents: 0 };
    let timeout = timeout.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: both structures live through the call.
    unsafe { syscall(nr::PPOLL, [&raw mut pollfd as usize, 1, timeout as usize, 0, 8, 0]) }
}

/// Sleep while `word` is `expected`; at most until `deadline` on the monotonic clock.
pub fn futex_wait(word: &AtomicU32, expected: u32, deadline: Option<u64>) {
    let time = deadline.map(Timespec::from_ns);
    let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
    let op = FUTEX_WAIT_BITSET | FUTEX_PRIVATE;
    // SAFETY: the word and the time live through the call. Why it returned does not matter: every
    // caller looks at the word again.
    unsafe {
        syscall(nr::FUTEX, [word.as_ptr() as usize, op, expected as usize, time as usize, 0, !0]);
    }
}

/// Wake `count` sleepers on a word; returns how many there were.
pub fn futex_wake(word: &AtomicU32, count: u32) -> u32 {
    let op = FUTEX_WAKE | FUTEX_PRIVATE;
    // SAFETY: the word is only used as an address.
    unsafe { syscall(nr::FUTEX, [word.as_ptr() as usize, op, count as usize, 0, 0, 0]) as u32 }
}

/// Let another host thread run.
pub fn sched_yield() {
    // SAFETY: no arguments.
    unsafe { syscall(nr::SCHED_YIELD, [0; 6]) };
}

/// Wake from timed sleeps within a microsecond instead of 50.
pub fn precise_timers() {
    const PR_SET_TIMERSLACK: usize = 29;
    // SAFETY: only sets an attribute of this thread.
    unsafe { syscall(nr::PRCTL, [PR_SET_TIMERSLACK, 1, 0, 0, 0, 0]) };
}

/// Name this thread for tools of the host.
pub fn name_thread(name: &CStr) {
    const PR_SET_NAME: usize = 15;
    // SAFETY: the string lives through the call.
    unsafe { syscall(nr::PRCTL, [PR_SET_NAME, name.as_ptr() as usize, 0, 0, 0, 0]) };
}

/// Number of host CPUs that this process may use.
pub fn host_cpus() -> u32 {
    let mut mask = [0_u64; 128];
    // SAFETY: the mask lives through the call and has the size that is given.
    let bytes = unsafe {
        syscall(nr::SCHED_GETAFFINITY, [0, size_of_val(&mask), &raw mut mask as usize, 0, 0, 0])
    };
    if bytes <= 0 { 1 } else { mask.iter().map(|m| m.count_ones()).sum() }
}

/// End the process, all its threads.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: does not return.
        unsafe { syscall(nr::EXIT_GROUP, [status as usize, 0, 0, 0, 0, 0]) };
    }
}

/// Replace the process by a fresh start of its own file; returns only on failure.
///
/// # Safety
/// `argv` and `envp` must be null-terminated arrays of strings.
pub unsafe fn exec_self(argv: *const *const u8, envp: *const *const u8) -> isize {
    // SAFETY: the caller's promise.
    unsafe {
        syscall(
            nr::EXECVE,
            [c"/proc/self/exe".as_ptr() as usize, argv as usize, envp as usize, 0, 0, 0],
        )
    }
}

/// Give this thread a stack for host signals.
///
/// # Safety
/// The range must be mapped, and used for nothing else, as long as the thread lives.
pub unsafe fn sigaltstack(base: usize, size: usize) -> isize {
    let stack = SignalStack { base, flags: 0, size };
    // SAFETY: the caller's promise; the structure lives through the call.
    unsafe { syscall(nr::SIGALTSTACK, [&raw const stack as usize, 0, 0, 0, 0, 0]) }
}

/// `stack_t`.
#[repr(C)]
#[derive(Debug)]
pub struct SignalStack {
    pub base: usize,
    pub flags: i32,
    pub size: usize,
}

pub const SIGHUP: u32 = 1;
pub const SIGINT: u32 = 2;
pub const SIGQUIT: u32 = 3;
pub const SIGILL: u32 = 4;
pub const SIGTRAP: u32 = 5;
pub const SIGBUS: u32 = 7;
pub const SIGFPE: u32 = 8;
pub const SIGSEGV: u32 = 11;
pub const SIGPIPE: u32 = 13;
pub const SIGTERM: u32 = 15;
pub const SIGCONT: u32 = 18;
pub const SIGWINCH: u32 = 28;

/// Run `handler` on the signal stack when `signal` comes. Nothing is blocked meanwhile.
///
/// # Safety
/// The handler must be able to run at any point of the program.
pub unsafe fn sigaction(signal: u32, handler: usize) -> isize {
    const SA_SIGINFO: usize = 4;
    const SA_ONSTACK: usize = 0x0800_0000;
    const SA_RESTART: usize = 0x1000_0000;
    const SA_NODEFER: usize = 0x4000_0000;
    let flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
    let action = crate::arch::KernelSigaction::new(handler, flags);
    // SAFETY: the caller's promise; the structure lives through the call.
    unsafe { syscall(nr::RT_SIGACTION, [signal as usize, &raw const action as usize, 0, 8, 0, 0]) }
}

/// Ignore a signal.
pub fn ignore(signal: u32) {
    const SIG_IGN: usize = 1;
    let action = crate::arch::KernelSigaction::new(SIG_IGN, 0);
    // SAFETY: ignoring a signal runs no code.
    unsafe { syscall(nr::RT_SIGACTION, [signal as usize, &raw const action as usize, 0, 8, 0, 0]) };
}
