//! `path_*`: names in directories that the guest has.
#![allow(clippy::too_many_arguments, reason = "WASI's functions have as many")]

use crate::beneath::{self, Path, place};
use crate::descriptor::{self, Descriptor, rights, type_of};
use crate::errno::{Errno, Result};
use crate::files::{filestat, host_flags, host_times};
use crate::memory::{self, write, write_u32};
use crate::sys::{self, nr, open};

/// The one flag of a look-up: a link at the end of the path is followed.
const SYMLINK_FOLLOW: u32 = 1;

fn path(at: u32, len: u32) -> Result<Path> {
    const LONGEST: u32 = 4096;
    let bytes = memory::bytes(at, len)?;
    if len >= LONGEST {
        return Err(Errno::NAMETOOLONG);
    }
    Path::new(bytes.to_vec()?)
}

fn follows(flags: u32) -> Result<bool> {
    if flags > SYMLINK_FOLLOW { Err(Errno::INVAL) } else { Ok(flags == SYMLINK_FOLLOW) }
}

pub fn path_open(
    fd: u32,
    lookup: u32,
    at: u32,
    len: u32,
    how: u32,
    wanted: u64,
    _inheriting: u64,
    flags: u32,
    result: u32,
) -> Result<()> {
    const CREAT: u32 = 1;
    const DIRECTORY: u32 = 2;
    const EXCL: u32 = 4;
    const TRUNC: u32 = 8;
    const MODE: usize = 0o666;
    if how >= 16 {
        return Err(Errno::INVAL);
    }
    let directory = descriptor::directory(fd, rights::PATH_OPEN)?;
    let mut host = host_flags(flags)?;
    for (flag, right, bit) in [
        (CREAT, rights::PATH_CREATE_FILE, open::CREAT),
        (DIRECTORY, 0, open::DIRECTORY),
        (EXCL, 0, open::EXCL),
        (TRUNC, rights::PATH_FILESTAT_SET_SIZE, open::TRUNC),
    ] {
        if how & flag != 0 {
            directory.need(right)?;
            host |= bit;
        }
    }
    if how & CREAT != 0 && how & DIRECTORY != 0 {
        return Err(Errno::INVAL);
    }
    const WRITE: u64 = rights::FD_WRITE | rights::FD_ALLOCATE | rights::FD_FILESTAT_SET_SIZE;
    let wanted = wanted & directory.inheriting;
    let (reads, writes) =
        (wanted & (rights::FD_READ | rights::FD_READDIR) != 0, wanted & WRITE != 0);
    host |= match (reads, writes) {
        (_, false) => 0,
        (true, true) => open::RDWR,
        (false, true) => open::WRONLY,
    };
    memory::bytes(result, 4)?;
    let path = path(at, len)?;
    let follow = follows(lookup)?;
    let opened = match beneath::open(directory.host(), &path, host, MODE, follow) {
        // A C library asks for all rights of which a directory has none.
        Err(Errno::ISDIR)
            if writes && how & (CREAT | TRUNC) == 0 && wanted & rights::FD_WRITE == 0 =>
        {
            beneath::open(directory.host(), &path, host & !3, MODE, follow)?
        }
        opened => opened?,
    };
    let number = descriptor::insert(Descriptor::new(opened)?.within(directory.inheriting))?;
    write_u32(result, number)
}

pub fn path_create_directory(fd: u32, at: u32, len: u32) -> Result<()> {
    const MODE: usize = 0o777;
    let directory = descriptor::directory(fd, rights::PATH_CREATE_DIRECTORY)?;
    let place = place(directory.host(), &path(at, len)?)?;
    sys::at(nr::MKDIRAT, place.parent(), &place.name, [MODE, 0]).map(drop)
}

fn remove(directory: &Descriptor, path: &Path, flags: usize) -> Result<()> {
    let place = place(directory.host(), path)?;
    sys::at(nr::UNLINKAT, place.parent(), &place.name, [flags, 0]).map(drop)
}

pub fn path_remove_directory(fd: u32, at: u32, len: u32) -> Result<()> {
    const REMOVEDIR: usize = 0x200;
    let directory = descriptor::directory(fd, rights::PATH_REMOVE_DIRECTORY)?;
    remove(&directory, &path(at, len)?, REMOVEDIR)
}

pub fn path_unlink_file(fd: u32, at: u32, len: u32) -> Result<()> {
    let directory = descriptor::directory(fd, rights::PATH_UNLINK_FILE)?;
    remove(&directory, &path(at, len)?, 0)
}

pub fn path_filestat_get(fd: u32, lookup: u32, at: u32, len: u32, result: u32) -> Result<()> {
    let directory = descriptor::directory(fd, rights::PATH_FILESTAT_GET)?;
    let (path, follow) = (path(at, len)?, follows(lookup)?);
    let stat = match find(&directory, &path, follow)? {
        Found::Name(place) => sys::stat(place.parent(), &place.name)?,
        Found::File(file) => sys::fstat(file.number())?,
    };
    write(result, &filestat(&stat, type_of(&stat)))
}

pub fn path_filestat_set_times(
    fd: u32,
    lookup: u32,
    at: u32,
    len: u32,
    access: u64,
    modification: u64,
    flags: u32,
) -> Result<()> {
    let directory = descriptor::directory(fd, rights::PATH_FILESTAT_SET_TIMES)?;
    let times = host_times(access, modification, flags)?;
    let (path, follow) = (path(at, len)?, follows(lookup)?);
    match find(&directory, &path, follow)? {
        Found::Name(place) => sys::set_times(place.parent(), Some(&place.name), &times),
        Found::File(file) => sys::set_times(file.number(), None, &times),
    }
}

/// What a path leads to.
enum Found {
    /// A name that is not followed, should it be a link.
    Name(beneath::Place),
    File(sys::Fd),
}

fn find(directory: &Descriptor, path: &Path, follow: bool) -> Result<Found> {
    if !follow {
        let place = place(directory.host(), path)?;
        if !place.is_special {
            return Ok(Found::Name(place));
        }
    }
    beneath::open(directory.host(), path, open::PATH, 0, true).map(Found::File)
}

pub fn path_link(
    fd: u32,
    lookup: u32,
    at: u32,
    len: u32,
    new_fd: u32,
    new_at: u32,
    new_len: u32,
) -> Result<()> {
    let directory = descriptor::directory(fd, rights::PATH_LINK_SOURCE)?;
    let new_directory = descriptor::directory(new_fd, rights::PATH_LINK_TARGET)?;
    if follows(lookup)? {
        return Err(Errno::INVAL);
    }
    let old = path(at, len)?;
    let from = place(directory.host(), &old)?;
    let to = place(new_directory.host(), &path(new_at, new_len)?)?;
    if from.is_special {
        // The host would follow a link for the slash. What is there is a directory, which has one name only.
        beneath::open(directory.host(), &old, open::PATH | open::DIRECTORY, 0, true)?;
        return Err(Errno::PERM);
    }
    two_names(nr::LINKAT, &from, &to)
}

/// A call about names in two directories.
fn two_names(nr: usize, from: &beneath::Place, to: &beneath::Place) -> Result<()> {
    let (old, new) = (from.name.as_ptr() as usize, to.name.as_ptr() as usize);
    let a = [from.parent() as usize, old, to.parent() as usize, new, 0, 0];
    // SAFETY: reads the names only.
    unsafe { sys::call(nr, a) }.map(drop)
}

pub fn path_rename(
    fd: u32,
    at: u32,
    len: u32,
    new_fd: u32,
    new_at: u32,
    new_len: u32,
) -> Result<()> {
    let directory = descriptor::directory(fd, rights::PATH_RENAME_SOURCE)?;
    let new_directory = descriptor::directory(new_fd, rights::PATH_RENAME_TARGET)?;
    let from = place(directory.host(), &path(at, len)?)?;
    let to = place(new_directory.host(), &path(new_at, new_len)?)?;
    two_names(nr::RENAMEAT2, &from, &to)
}

pub fn path_symlink(at: u32, len: u32, fd: u32, new_at: u32, new_len: u32) -> Result<()> {
    let directory = descriptor::directory(fd, rights::PATH_SYMLINK)?;
    let target = memory::bytes(at, len)?.to_vec()?;
    // Nobody below the directory could follow it.
    if target.starts_with(b"/") {
        return Err(Errno::PERM);
    }
    let target = alloc::ffi::CString::new(target).map_err(|_| Errno::INVAL)?;
    let place = place(directory.host(), &path(new_at, new_len)?)?;
    let (target, name) = (target.as_ptr() as usize, place.name.as_ptr() as usize);
    // SAFETY: reads target and name only.
    unsafe { sys::call(nr::SYMLINKAT, [target, place.parent() as usize, name, 0, 0, 0]) }.map(drop)
}

pub fn path_readlink(
    fd: u32,
    at: u32,
    len: u32,
    buffer: u32,
    size: u32,
    result: u32,
) -> Result<()> {
    let directory = descriptor::directory(fd, rights::PATH_READLINK)?;
    let path = path(at, len)?;
    let buffer = memory::bytes(buffer, size)?;
    memory::bytes(result, 4)?;
    let place = place(directory.host(), &path)?;
    if place.is_special {
        beneath::open(directory.host(), &path, open::PATH | open::DIRECTORY, 0, true)?;
        return Err(Errno::INVAL);
    }
    let target = sys::readlinkat(place.parent(), &place.name)?;
    // It leads nowhere, and where it would lead is the host's business.
    if target.starts_with(b"/") {
        return Err(Errno::PERM);
    }
    write_u32(result, buffer.fill(&target) as u32)
}
