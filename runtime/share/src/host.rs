//! System calls of the host on files.
//!
//! The process's working directory is `/proc/self/fd`: the number of a descriptor there is a path to what it is open
//! on, wherever that is now.

use crate::request::Name;
use core::ffi::CStr;
use core::fmt::Write;
use linnet_device::sys::{Errno, Fd, Result, call};
use linnet_host::nr;
use linnet_virtio::memory::IoVec;

/// Flags of open(2) that all ISAs share.
pub mod open {
    pub const ACCESS: u32 = 3;
    pub const WRITE_ONLY: u32 = 1;
    pub const READ_WRITE: u32 = 2;
    pub const CREATE: u32 = 0o100;
    pub const EXCLUSIVE: u32 = 0o200;
    pub const TRUNCATE: u32 = 0o1000;
    pub const APPEND: u32 = 0o2000;
    pub const NONBLOCK: u32 = 0o4000;
    pub const SYNC: u32 = 0o4010000;
    pub const CLOEXEC: u32 = 0o2000000;
    pub const PATH: u32 = 0o10000000;
    #[cfg(not(target_arch = "aarch64"))]
    pub const NOFOLLOW: u32 = 0o400000;
    #[cfg(target_arch = "aarch64")]
    pub const NOFOLLOW: u32 = 0o100000;
    #[cfg(not(target_arch = "aarch64"))]
    pub const DIRECTORY: u32 = 0o200000;
    #[cfg(target_arch = "aarch64")]
    pub const DIRECTORY: u32 = 0o40000;
}

/// Kinds of files, in their modes.
pub mod kind {
    pub const MASK: u32 = 0o170000;
    pub const FIFO: u32 = 0o010000;
    pub const DIRECTORY: u32 = 0o040000;
    pub const FILE: u32 = 0o100000;
    pub const LINK: u32 = 0o120000;
}

pub const SET_USER_ID: u32 = 0o4000;
pub const SET_GROUP_ID: u32 = 0o2000;
const GROUP_EXECUTES: u32 = 0o10;

const WORKING_DIRECTORY: usize = -100_isize as usize;
/// The path is empty: the descriptor itself.
const EMPTY_PATH: usize = 0x1000;
const NOTHING: &CStr = c"";

/// The path of a descriptor.
struct Number {
    text: [u8; 12],
    len: usize,
}

impl Number {
    fn of(fd: &Fd) -> Number {
        let mut number = Number { text: [0; 12], len: 0 };
        // There is room for each number, and for a NUL.
        let _ = write!(number, "{}", fd.number());
        number
    }

    fn at(&self) -> usize {
        self.text.as_ptr() as usize
    }
}

impl Write for Number {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.text[self.len..][..text.len()].copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

fn raw(fd: &Fd) -> usize {
    fd.number() as usize
}

/// Make `/proc/self/fd` the working directory, and new files have the modes that are asked for.
pub fn prepare() -> Result<()> {
    // SAFETY: reads the path only.
    unsafe {
        call(nr::CHDIR, [c"/proc/self/fd".as_ptr() as usize, 0, 0, 0, 0, 0])?;
        call(nr::UMASK, [0; 6])?;
    }
    Ok(())
}

/// May this process give files to others?
pub fn is_root() -> bool {
    // SAFETY: touches no memory.
    unsafe { call(nr::GETEUID, [0; 6]) == Ok(0) }
}

/// Open a folder by its path.
pub fn open_folder(path: &CStr) -> Result<Fd> {
    let flags = open::PATH | open::DIRECTORY | open::CLOEXEC;
    let at = path.as_ptr() as usize;
    // SAFETY: reads the path only.
    let fd = unsafe { call(nr::OPENAT, [WORKING_DIRECTORY, at, flags as usize, 0, 0, 0])? };
    Ok(Fd::own(fd as i32))
}

/// Open what a directory has under a name, which is no link that is followed.
pub fn open_in(directory: &Fd, name: &Name, flags: u32, mode: u32) -> Result<Fd> {
    const BENEATH: u64 = 8;
    const NO_MAGIC_LINKS: u64 = 2;
    const NO_CALL: Errno = Errno(38);
    let flags = flags | open::NOFOLLOW | open::CLOEXEC;
    let how = [u64::from(flags), u64::from(mode), BENEATH | NO_MAGIC_LINKS];
    let at = &raw const how as usize;
    // SAFETY: reads the name and the structure only.
    let fd = unsafe {
        match call(nr::OPENAT2, [raw(directory), name.as_ptr(), at, size_of_val(&how), 0, 0]) {
            // Before Linux 5.6, and under emulators. One component, no link followed: there is no way out.
            Err(NO_CALL) => {
                let arguments =
                    [raw(directory), name.as_ptr(), flags as usize, mode as usize, 0, 0];
                call(nr::OPENAT, arguments)?
            }
            other => other?,
        }
    };
    Ok(Fd::own(fd as i32))
}

/// What a directory has under a name: a descriptor without access.
pub fn look_up(directory: &Fd, name: &Name) -> Result<Fd> {
    open_in(directory, name, open::PATH, 0)
}

/// Open once more what a descriptor is open on.
pub fn open_again(fd: &Fd, flags: u32) -> Result<Fd> {
    let number = Number::of(fd);
    let flags = (flags | open::CLOEXEC) as usize;
    // SAFETY: reads the path only.
    let fd = unsafe { call(nr::OPENAT, [WORKING_DIRECTORY, number.at(), flags, 0, 0, 0])? };
    Ok(Fd::own(fd as i32))
}

#[derive(Debug, Clone, Copy)]
pub struct Time {
    pub seconds: i64,
    pub nanoseconds: u32,
}

impl Time {
    /// Values of the nanoseconds in [`set_times`].
    pub const NOW: Time = Time { seconds: 0, nanoseconds: 0x3fff_ffff };
    pub const OMIT: Time = Time { seconds: 0, nanoseconds: 0x3fff_fffe };
}

#[derive(Debug, Clone, Copy)]
pub struct Status {
    /// Major and minor number of the device.
    pub device: (u32, u32),
    pub number: u64,
    pub mode: u32,
    pub links: u32,
    pub user: u32,
    pub group: u32,
    /// What a device node means.
    pub is_device: (u32, u32),
    pub size: u64,
    pub blocks: u64,
    pub block_size: u32,
    pub accessed: Time,
    pub modified: Time,
    pub changed: Time,
}

impl Status {
    pub fn kind(&self) -> u32 {
        self.mode & kind::MASK
    }
}

pub fn status(fd: &Fd) -> Result<Status> {
    const BASIC: usize = 0x7ff;
    // `struct statx`, in words.
    let mut words = [0_u64; 32];
    let at = words.as_mut_ptr() as usize;
    // SAFETY: writes to the structure only.
    unsafe { call(nr::STATX, [raw(fd), NOTHING.as_ptr() as usize, EMPTY_PATH, BASIC, at, 0])? };
    let low = |n: usize| words[n] as u32;
    let high = |n: usize| (words[n] >> 32) as u32;
    let time = |n: usize| Time { seconds: words[n] as i64, nanoseconds: low(n + 1) };
    Ok(Status {
        block_size: high(0),
        links: low(2),
        user: high(2),
        group: low(3),
        mode: high(3) & 0xffff,
        number: words[4],
        size: words[5],
        blocks: words[6],
        accessed: time(8),
        changed: time(12),
        modified: time(14),
        is_device: (low(16), high(16)),
        device: (low(17), high(17)),
    })
}

/// `struct statfs`: its words up to the size of fragments.
pub fn file_system(fd: &Fd) -> Result<[u64; 10]> {
    let mut words = [0_u64; 15];
    // SAFETY: writes to the structure only.
    unsafe { call(nr::FSTATFS, [raw(fd), words.as_mut_ptr() as usize, 0, 0, 0, 0])? };
    let mut first = [0; 10];
    first.copy_from_slice(&words[..10]);
    Ok(first)
}

pub fn set_mode(fd: &Fd, mode: u32) -> Result<()> {
    let number = Number::of(fd);
    // SAFETY: reads the path only.
    unsafe { call(nr::FCHMODAT, [WORKING_DIRECTORY, number.at(), mode as usize, 0, 0, 0])? };
    Ok(())
}

/// [`u32::MAX`] leaves one as it is.
pub fn set_owner(fd: &Fd, user: u32, group: u32) -> Result<()> {
    let (user, group) = (user as usize, group as usize);
    // SAFETY: reads the path only.
    unsafe {
        call(nr::FCHOWNAT, [raw(fd), NOTHING.as_ptr() as usize, user, group, EMPTY_PATH, 0])?
    };
    Ok(())
}

/// When it was accessed and modified.
pub fn set_times(fd: &Fd, times: [Time; 2]) -> Result<()> {
    let number = Number::of(fd);
    let words = times.map(|time| [time.seconds, time.nanoseconds.into()]);
    // SAFETY: reads the path and the times only.
    unsafe {
        let arguments = [WORKING_DIRECTORY, number.at(), words.as_ptr() as usize, 0, 0, 0];
        call(nr::UTIMENSAT, arguments)?;
    }
    Ok(())
}

pub fn set_size(fd: &Fd, size: u64) -> Result<()> {
    // SAFETY: touches no memory.
    unsafe { call(nr::FTRUNCATE, [raw(fd), size as usize, 0, 0, 0, 0])? };
    Ok(())
}

/// Nobody runs as the owner by executing what somebody has changed.
pub fn kill_privileges(fd: &Fd) -> Result<()> {
    let mode = status(fd)?.mode;
    let group = if mode & GROUP_EXECUTES != 0 { SET_GROUP_ID } else { 0 };
    let kept = mode & !(SET_USER_ID | group);
    if kept != mode {
        set_mode(fd, kept & 0o7777)?;
    }
    Ok(())
}

/// The text of a symbolic link.
pub fn read_link(fd: &Fd, to: &mut [u8]) -> Result<usize> {
    // SAFETY: reads the path and writes to the buffer only.
    unsafe {
        call(
            nr::READLINKAT,
            [raw(fd), NOTHING.as_ptr() as usize, to.as_mut_ptr() as usize, to.len(), 0, 0],
        )
    }
}

pub fn make_link(target: &CStr, directory: &Fd, name: &Name) -> Result<()> {
    let at = target.as_ptr() as usize;
    // SAFETY: reads the paths only.
    unsafe { call(nr::SYMLINKAT, [at, raw(directory), name.as_ptr(), 0, 0, 0])? };
    Ok(())
}

/// A regular file or a FIFO.
pub fn make_node(directory: &Fd, name: &Name, mode: u32) -> Result<()> {
    // SAFETY: reads the name only.
    unsafe { call(nr::MKNODAT, [raw(directory), name.as_ptr(), mode as usize, 0, 0, 0])? };
    Ok(())
}

pub fn make_directory(directory: &Fd, name: &Name, mode: u32) -> Result<()> {
    // SAFETY: reads the name only.
    unsafe { call(nr::MKDIRAT, [raw(directory), name.as_ptr(), mode as usize, 0, 0, 0])? };
    Ok(())
}

pub fn remove(directory: &Fd, name: &Name, is_directory: bool) -> Result<()> {
    const REMOVE_DIRECTORY: usize = 0x200;
    let flags = if is_directory { REMOVE_DIRECTORY } else { 0 };
    // SAFETY: reads the name only.
    unsafe { call(nr::UNLINKAT, [raw(directory), name.as_ptr(), flags, 0, 0, 0])? };
    Ok(())
}

pub fn rename(from: (&Fd, &Name), to: (&Fd, &Name), flags: u32) -> Result<()> {
    let (old, new) = (from.1.as_ptr(), to.1.as_ptr());
    // SAFETY: reads the names only.
    unsafe { call(nr::RENAMEAT2, [raw(from.0), old, raw(to.0), new, flags as usize, 0])? };
    Ok(())
}

/// Another name of a file.
pub fn link(fd: &Fd, directory: &Fd, name: &Name) -> Result<()> {
    const FOLLOW: usize = 0x400;
    let (number, directory) = (Number::of(fd), raw(directory));
    // SAFETY: reads the paths only.
    unsafe {
        let to = name.as_ptr();
        call(nr::LINKAT, [WORKING_DIRECTORY, number.at(), directory, to, FOLLOW, 0])?;
    }
    Ok(())
}

/// Read a part of a file into guest memory.
pub fn read(fd: &Fd, parts: &[IoVec], offset: u64) -> Result<usize> {
    let at = parts.as_ptr() as usize;
    // SAFETY: the parts lie in guest memory.
    unsafe { call(nr::PREADV, [raw(fd), at, parts.len(), offset as usize, 0, 0]) }
}

/// Write what lies in guest memory to a file.
pub fn write(fd: &Fd, parts: &[IoVec], offset: u64) -> Result<usize> {
    let at = parts.as_ptr() as usize;
    // SAFETY: the parts lie in guest memory.
    unsafe { call(nr::PWRITEV, [raw(fd), at, parts.len(), offset as usize, 0, 0]) }
}

/// Write it to the end of the file, wherever that is.
pub fn append(fd: &Fd, parts: &[IoVec]) -> Result<usize> {
    const AT_END: usize = 0x10;
    const NO_CALL: Errno = Errno(38);
    let at = parts.as_ptr() as usize;
    // SAFETY: the parts lie in guest memory.
    match unsafe { call(nr::PWRITEV2, [raw(fd), at, parts.len(), 0, 0, AT_END]) } {
        // Emulators.
        Err(NO_CALL) => write(fd, parts, status(fd)?.size),
        other => other,
    }
}

pub fn sync(fd: &Fd, data_only: bool) -> Result<()> {
    let nr = if data_only { nr::FDATASYNC } else { nr::FSYNC };
    // SAFETY: touches no memory.
    unsafe { call(nr, [raw(fd), 0, 0, 0, 0, 0])? };
    Ok(())
}

/// All of the file system.
pub fn sync_file_system(fd: &Fd) -> Result<()> {
    // SAFETY: touches no memory.
    unsafe { call(nr::SYNCFS, [raw(fd), 0, 0, 0, 0, 0])? };
    Ok(())
}

pub fn allocate(fd: &Fd, mode: u32, offset: u64, len: u64) -> Result<()> {
    let (offset, len) = (offset as usize, len as usize);
    // SAFETY: touches no memory.
    unsafe { call(nr::FALLOCATE, [raw(fd), mode as usize, offset, len, 0, 0])? };
    Ok(())
}

pub fn seek(fd: &Fd, offset: u64, whence: u32) -> Result<u64> {
    // SAFETY: touches no memory.
    let at = unsafe { call(nr::LSEEK, [raw(fd), offset as usize, whence as usize, 0, 0, 0])? };
    Ok(at as u64)
}

pub fn copy_range(from: (&Fd, u64), to: (&Fd, u64), len: usize) -> Result<usize> {
    let (source, target) = (from.1, to.1);
    let [source, target] = [&raw const source as usize, &raw const target as usize];
    // SAFETY: reads and writes the offsets only.
    unsafe { call(nr::COPY_FILE_RANGE, [raw(from.0), source, raw(to.0), target, len, 0]) }
}

/// Entries of a directory: `struct linux_dirent64`.
pub fn entries(fd: &Fd, to: &mut [u8]) -> Result<usize> {
    // SAFETY: writes to the buffer only.
    unsafe { call(nr::GETDENTS64, [raw(fd), to.as_mut_ptr() as usize, to.len(), 0, 0, 0]) }
}

pub fn set_attribute(fd: &Fd, name: &CStr, value: &[u8], flags: u32) -> Result<()> {
    let (number, name) = (Number::of(fd), name.as_ptr() as usize);
    let (at, len) = (value.as_ptr() as usize, value.len());
    // SAFETY: reads the path, the name and the value only.
    unsafe { call(nr::SETXATTR, [number.at(), name, at, len, flags as usize, 0])? };
    Ok(())
}

/// How long the value is; it is not written to an empty buffer.
pub fn attribute(fd: &Fd, name: &CStr, to: &mut [u8]) -> Result<usize> {
    let (number, name) = (Number::of(fd), name.as_ptr() as usize);
    let (at, len) = (to.as_mut_ptr() as usize, to.len());
    // SAFETY: reads the path and the name, and writes to the buffer only.
    unsafe { call(nr::GETXATTR, [number.at(), name, at, len, 0, 0]) }
}

/// Names of attributes, each with a NUL.
pub fn attributes(fd: &Fd, to: &mut [u8]) -> Result<usize> {
    let number = Number::of(fd);
    // SAFETY: reads the path and writes to the buffer only.
    unsafe { call(nr::LISTXATTR, [number.at(), to.as_mut_ptr() as usize, to.len(), 0, 0, 0]) }
}

pub fn remove_attribute(fd: &Fd, name: &CStr) -> Result<()> {
    let (number, name) = (Number::of(fd), name.as_ptr() as usize);
    // SAFETY: reads the path and the name only.
    unsafe { call(nr::REMOVEXATTR, [number.at(), name, 0, 0, 0, 0])? };
    Ok(())
}
