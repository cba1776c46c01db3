//! `fd_*`: what a guest does with descriptors.

use crate::descriptor::{self, Descriptor, filetype, plain_flags, rights, type_of};
use crate::errno::{Errno, Result};
use crate::memory::{self, vectors, write, write_u32, write_u64};
use crate::sys::{self, Stat, mode, nr, open};
use alloc::vec::Vec;
use linnet_embed::Lock;

/// Bits of the flags of a descriptor, and the host's.
const FLAGS: [(u16, usize); 5] =
    [(16, open::SYNC), (8, open::SYNC), (2, open::DSYNC), (1, open::APPEND), (4, open::NONBLOCK)];

/// The host's flags for those of the guest.
pub fn host_flags(flags: u32) -> Result<usize> {
    if flags >= 32 {
        return Err(Errno::INVAL);
    }
    let set = FLAGS.iter().filter(|(bit, _)| flags & u32::from(*bit) != 0);
    Ok(set.fold(0, |all, (_, host)| all | host))
}

fn guest_flags(host: usize) -> u16 {
    let set = FLAGS.iter().filter(|(bit, flag)| *bit != 8 && host & flag == *flag);
    set.fold(0, |all, (bit, _)| all | bit)
}

pub fn fd_close(fd: u32) -> Result<()> {
    descriptor::remove(fd)
}

pub fn fd_renumber(from: u32, to: u32) -> Result<()> {
    descriptor::renumber(from, to)
}

/// Moves data between a file and vectors of the guest.
fn transfer(
    nr: usize,
    right: u64,
    (fd, at, count): (u32, u32, u32),
    offset: Option<u64>,
    result: u32,
) -> Result<()> {
    let descriptor = descriptor::get(fd)?;
    // What the file was not opened for is the host's to say.
    let open = descriptor.open();
    let is_open_for = match right {
        _ if descriptor.is_directory() => false,
        rights::FD_READ => open.is_for_reading(),
        _ => open.is_for_writing(),
    };
    if is_open_for {
        descriptor.need(right)?;
    }
    if offset.is_some_and(|offset| i64::try_from(offset).is_err()) {
        return Err(Errno::INVAL);
    }
    let vectors = vectors(at, count)?;
    memory::bytes(result, 4)?;
    let a = [
        descriptor.host() as usize,
        vectors.as_ptr() as usize,
        vectors.len(),
        offset.unwrap_or_default() as usize,
        0,
        0,
    ];
    // SAFETY: the vectors are the guest's memory.
    let moved = unsafe { sys::call(nr, a)? };
    write_u32(result, moved as u32)
}

pub fn fd_read(fd: u32, at: u32, count: u32, result: u32) -> Result<()> {
    transfer(nr::READV, rights::FD_READ, (fd, at, count), None, result)
}

pub fn fd_write(fd: u32, at: u32, count: u32, result: u32) -> Result<()> {
    transfer(nr::WRITEV, rights::FD_WRITE, (fd, at, count), None, result)
}

pub fn fd_pread(fd: u32, at: u32, count: u32, offset: u64, result: u32) -> Result<()> {
    transfer(nr::PREADV, rights::FD_READ, (fd, at, count), Some(offset), result)
}

pub fn fd_pwrite(fd: u32, at: u32, count: u32, offset: u64, result: u32) -> Result<()> {
    transfer(nr::PWRITEV, rights::FD_WRITE, (fd, at, count), Some(offset), result)
}

/// A descriptor with these rights that is no directory.
fn file(fd: u32, rights: u64) -> Result<Descriptor> {
    let descriptor = descriptor::get(fd)?;
    if descriptor.is_directory() {
        return Err(Errno::BADF);
    }
    // A stream never had them: the host says what is wrong.
    if descriptor.base & rights::FD_SEEK != 0 || rights & rights::STREAM != 0 {
        descriptor.need(rights)?;
    }
    Ok(descriptor)
}

pub fn fd_seek(fd: u32, offset: u64, whence: u32, result: u32) -> Result<()> {
    const CUR: u32 = 1;
    const END: u32 = 2;
    if whence > END {
        return Err(Errno::INVAL);
    }
    let descriptor = file(fd, 0)?;
    let is_tell = whence == CUR && offset == 0;
    let right = if is_tell { rights::FD_TELL } else { rights::FD_SEEK };
    // A terminal seeks, says the host, but it does not.
    if descriptor.base & (rights::FD_SEEK | rights::FD_TELL) == 0 {
        sys::plain(nr::LSEEK, [descriptor.host() as usize, 0, CUR as usize, 0])?;
        return Err(Errno::SPIPE);
    }
    descriptor.need(right)?;
    memory::bytes(result, 8)?;
    let a = [descriptor.host() as usize, offset as usize, whence as usize, 0];
    let position = sys::plain(nr::LSEEK, a)?;
    write_u64(result, position as u64)
}

pub fn fd_tell(fd: u32, result: u32) -> Result<()> {
    fd_seek(fd, 0, 1, result)
}

pub fn fd_sync(fd: u32) -> Result<()> {
    let descriptor = descriptor::with_rights(fd, rights::FD_SYNC)?;
    sys::plain(nr::FSYNC, [descriptor.host() as usize, 0, 0, 0]).map(drop)
}

pub fn fd_datasync(fd: u32) -> Result<()> {
    let descriptor = descriptor::with_rights(fd, rights::FD_DATASYNC)?;
    sys::plain(nr::FDATASYNC, [descriptor.host() as usize, 0, 0, 0]).map(drop)
}

pub fn fd_advise(fd: u32, offset: u64, len: u64, advice: u32) -> Result<()> {
    /// Normal, sequential, random, will need, don't need, no reuse, as the host has them.
    const ADVICE: [usize; 6] = [0, 2, 1, 3, 4, 5];
    let advice = *ADVICE.get(advice as usize).ok_or(Errno::INVAL)?;
    let descriptor = file(fd, rights::FD_ADVISE)?;
    if i64::try_from(offset).is_err() || i64::try_from(len).is_err() {
        return Err(Errno::INVAL);
    }
    let a = [descriptor.host() as usize, offset as usize, len as usize, advice];
    sys::plain(nr::FADVISE64, a).map(drop)
}

pub fn fd_allocate(fd: u32, offset: u64, len: u64) -> Result<()> {
    let descriptor = file(fd, rights::FD_ALLOCATE)?;
    let a = [descriptor.host() as usize, 0, offset as usize, len as usize];
    sys::plain(nr::FALLOCATE, a).map(drop)
}

pub fn fd_fdstat_get(fd: u32, result: u32) -> Result<()> {
    let descriptor = descriptor::get(fd)?;
    let flags = guest_flags(plain_flags(descriptor.host())?);
    let mut stat = [0; 24];
    stat[0] = descriptor.open().filetype;
    stat[2..4].copy_from_slice(&flags.to_le_bytes());
    stat[8..16].copy_from_slice(&descriptor.base.to_le_bytes());
    stat[16..24].copy_from_slice(&descriptor.inheriting.to_le_bytes());
    write(result, &stat)
}

pub fn fd_fdstat_set_flags(fd: u32, flags: u32) -> Result<()> {
    const SETFL: usize = 4;
    const CHANGEABLE: usize = open::APPEND | open::NONBLOCK;
    let descriptor = descriptor::with_rights(fd, rights::FD_FDSTAT_SET_FLAGS)?;
    let (wanted, old) = (host_flags(flags)?, plain_flags(descriptor.host())?);
    // The host cannot change how a file is synchronised.
    if wanted & !CHANGEABLE & !old != 0 {
        return Err(Errno::NOTSUP);
    }
    let new = old & !CHANGEABLE | wanted & CHANGEABLE;
    sys::plain(nr::FCNTL, [descriptor.host() as usize, SETFL, new, 0]).map(drop)
}

pub fn fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64) -> Result<()> {
    descriptor::restrict(fd, base, inheriting)
}

/// What the guest is told about a file.
pub fn filestat(stat: &Stat, filetype: u8) -> [u8; 64] {
    let time = |[seconds, ns]: [u64; 2]| {
        // Before 1970 there is no time.
        let seconds = u64::try_from(seconds as i64).unwrap_or(0);
        seconds.saturating_mul(1_000_000_000).saturating_add(ns)
    };
    let [access, modification, change] = stat.times.map(time);
    let words = [
        stat.device,
        stat.inode,
        u64::from(filetype),
        stat.links(),
        stat.size,
        access,
        modification,
        change,
    ];
    let mut bytes = [0; 64];
    for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

pub fn fd_filestat_get(fd: u32, result: u32) -> Result<()> {
    let descriptor = descriptor::with_rights(fd, rights::FD_FILESTAT_GET)?;
    let stat = sys::fstat(descriptor.host())?;
    write(result, &filestat(&stat, descriptor.open().filetype))
}

pub fn fd_filestat_set_size(fd: u32, size: u64) -> Result<()> {
    let descriptor = file(fd, rights::FD_FILESTAT_SET_SIZE)?;
    sys::plain(nr::FTRUNCATE, [descriptor.host() as usize, size as usize, 0, 0]).map(drop)
}

/// Access and modification for the host.
pub fn host_times(access: u64, modification: u64, flags: u32) -> Result<[[u64; 2]; 2]> {
    const NOW: u64 = 0x3fff_ffff;
    const OMIT: u64 = 0x3fff_fffe;
    let time = |ns: u64, flags: u32| match flags {
        0 => Ok([0, OMIT]),
        1 => Ok([ns / 1_000_000_000, ns % 1_000_000_000]),
        2 => Ok([0, NOW]),
        _ => Err(Errno::INVAL),
    };
    if flags >= 16 {
        return Err(Errno::INVAL);
    }
    Ok([time(access, flags & 3)?, time(modification, flags >> 2)?])
}

pub fn fd_filestat_set_times(fd: u32, access: u64, modification: u64, flags: u32) -> Result<()> {
    let times = host_times(access, modification, flags)?;
    let descriptor = descriptor::with_rights(fd, rights::FD_FILESTAT_SET_TIMES)?;
    sys::set_times(descriptor.host(), None, &times)
}

pub fn fd_prestat_get(fd: u32, result: u32) -> Result<()> {
    let descriptor = descriptor::get(fd)?;
    let name = descriptor.open().preopened.as_ref().ok_or(Errno::BADF)?;
    let mut stat = [0; 8];
    stat[4..].copy_from_slice(&(name.len() as u32).to_le_bytes());
    write(result, &stat)
}

pub fn fd_prestat_dir_name(fd: u32, at: u32, len: u32) -> Result<()> {
    let descriptor = descriptor::get(fd)?;
    let name = descriptor.open().preopened.as_ref().ok_or(Errno::NOTDIR)?;
    if name.len() > len as usize {
        return Err(Errno::NAMETOOLONG);
    }
    write(at, name)
}

/// Bytes before the name in an entry of a directory, the guest's and the host's.
const GUEST_HEAD: usize = 24;
const HOST_HEAD: usize = 19;

pub fn fd_readdir(fd: u32, at: u32, len: u32, cookie: u64, result: u32) -> Result<()> {
    /// The host's position in a directory is one for all threads.
    static READING: Lock<()> = Lock::new(());
    const LEAST: usize = 1 << 10;
    const MOST: usize = 64 << 10;
    let descriptor = descriptor::directory(fd, rights::FD_READDIR)?;
    let buffer = memory::bytes(at, len)?;
    memory::bytes(result, 4)?;
    let own = sys::fstat(descriptor.host())?.inode;
    let _reading = READING.lock();
    let host = descriptor.host() as usize;
    sys::plain(nr::LSEEK, [host, cookie as usize, 0, 0])?;
    let mut entries = alloc::vec![0_u8; buffer.len().clamp(LEAST, MOST)];
    let mut filled = Vec::with_capacity(buffer.len().min(MOST));
    while filled.len() < buffer.len() {
        let a = [host, entries.as_mut_ptr() as usize, entries.len(), 0, 0, 0];
        // SAFETY: writes to the entries only.
        let size = unsafe { sys::call(nr::GETDENTS64, a)? };
        if size == 0 {
            break;
        }
        let mut rest = &entries[..size];
        while let Some((entry, next)) = split_entry(rest) {
            rest = next;
            let name = &entry[HOST_HEAD..];
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            push_entry(&mut filled, entry, &name[..end], own, &descriptor);
            if filled.len() >= buffer.len() {
                break;
            }
        }
    }
    // The last entry may be cut off, which tells the guest that there are more.
    let used = buffer.fill(&filled);
    write_u32(result, used as u32)
}

fn split_entry(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = u16::from_le_bytes(entries.get(16..18)?.try_into().ok()?);
    entries.split_at_checked(usize::from(len)).filter(|(entry, _)| entry.len() > HOST_HEAD)
}

fn push_entry(all: &mut Vec<u8>, entry: &[u8], name: &[u8], own: u64, directory: &Descriptor) {
    /// Types in the host's entries are kinds of files, shifted.
    const SHIFT: u32 = 12;
    let word = |at: usize| entry[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
    let (inode, next) = (word(0), word(8));
    let kind = match u32::from(entry[18]) << SHIFT {
        // Some file systems do not say.
        0 => alloc::ffi::CString::new(name)
            .ok()
            .and_then(|name| sys::stat(directory.host(), &name).ok())
            .map_or(filetype::UNKNOWN, |stat| type_of(&stat)),
        mode::BLOCK => filetype::BLOCK_DEVICE,
        mode::CHARACTER => filetype::CHARACTER_DEVICE,
        mode::DIRECTORY => filetype::DIRECTORY,
        mode::REGULAR => filetype::REGULAR_FILE,
        mode::LINK => filetype::SYMBOLIC_LINK,
        mode::SOCKET => filetype::SOCKET_STREAM,
        _ => filetype::UNKNOWN,
    };
    // What is above the directory is nothing for the guest to know.
    let inode = if name == b".." { own } else { inode };
    let start = all.len();
    all.extend_from_slice(&next.to_le_bytes());
    all.extend_from_slice(&inode.to_le_bytes());
    all.extend_from_slice(&(name.len() as u32).to_le_bytes());
    all.push(kind);
    all.resize(start + GUEST_HEAD, 0);
    all.extend_from_slice(name);
}
