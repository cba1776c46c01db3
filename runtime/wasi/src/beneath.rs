//! Paths below a directory that the guest has, and nowhere else: not by `..`, not by absolute paths, not by
//! links that lead out, not while somebody renames directories.
//!
//! The host's kernel walks the path if it can do that safely (`openat2`, since 5.6). Where it cannot, or is not
//! let (emulators, sandboxes), the path is walked here, from directory to directory. `..` goes back to the
//! directory that the walk came from.

use crate::errno::{Errno, Result};
use crate::sys::{self, Fd, mode, nr, open};
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

/// A path of the guest: UTF-8, relative, not empty, without a zero byte.
#[derive(Debug, Clone)]
pub struct Path(Vec<u8>);

/// Most links that one path may lead through, as the host has it.
const MOST_LINKS: u32 = 40;

impl Path {
    pub fn new(bytes: Vec<u8>) -> Result<Path> {
        if core::str::from_utf8(&bytes).is_err() {
            return Err(Errno::ILSEQ);
        }
        if bytes.contains(&0) {
            return Err(Errno::INVAL);
        }
        match bytes.first() {
            None => Err(Errno::NOENT),
            Some(b'/') => Err(Errno::PERM),
            Some(_) => Ok(Path(bytes)),
        }
    }

    /// Whether it ends with a slash, so that it can only be a directory.
    fn ends_with_slash(&self) -> bool {
        self.0.ends_with(b"/")
    }
}

fn c_string(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| Errno::INVAL)
}

/// A directory and a name in it. Calls that do not follow a link at the end of a path take both.
#[derive(Debug)]
pub struct Place {
    parent: Parent,
    /// With a slash behind it if the path has one.
    pub name: CString,
    /// Whether the name is `.` or `..`, or may be a link that has to be followed for the slash behind it.
    pub is_special: bool,
}

#[derive(Debug)]
enum Parent {
    Borrowed(i32),
    Owned(Fd),
}

impl Place {
    pub fn parent(&self) -> i32 {
        match &self.parent {
            Parent::Borrowed(number) => *number,
            Parent::Owned(fd) => fd.number(),
        }
    }
}

/// Finds the directory that holds the last name of a path.
pub fn place(directory: i32, path: &Path) -> Result<Place> {
    let bytes = &path.0;
    let end = bytes.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let start = bytes[..end].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let last = &bytes[start..end];
    let is_dots = last == b"." || last == b"..";
    if is_dots {
        // It must not lead out, whatever the call would make of it.
        open(directory, path, open::PATH | open::DIRECTORY, 0, true)?;
    }
    let parent = match start {
        0 => Parent::Borrowed(directory),
        _ => {
            let path = Path(bytes[..start].to_vec());
            Parent::Owned(open(directory, &path, open::PATH | open::DIRECTORY, 0, true)?)
        }
    };
    let mut name = last.to_vec();
    if path.ends_with_slash() {
        name.push(b'/');
    }
    let is_special = is_dots || path.ends_with_slash();
    Ok(Place { parent, name: c_string(&name)?, is_special })
}

/// Opens a path. `follow`: a link at its end, too.
pub fn open(directory: i32, path: &Path, flags: usize, mode: usize, follow: bool) -> Result<Fd> {
    static IS_MISSING: AtomicBool = AtomicBool::new(false);
    if !IS_MISSING.load(Ordering::Relaxed) {
        match open_by_kernel(directory, path, flags, mode, follow) {
            Ok(done) => return done,
            Err(is_missing) => IS_MISSING.store(is_missing, Ordering::Relaxed),
        }
    }
    walk(directory, path, flags, mode, follow)
}

/// How often the host may say that somebody renames directories under it.
const ATTEMPTS: u32 = 16;

/// An error if the host cannot do it, or must not: whether it never will.
fn open_by_kernel(
    directory: i32,
    path: &Path,
    flags: usize,
    mode: usize,
    follow: bool,
) -> core::result::Result<Result<Fd>, bool> {
    const NO_MAGICLINKS: u64 = 2;
    const BENEATH: u64 = 8;
    const ESCAPE: Errno = Errno(75);
    const NOT_PERMITTED: isize = -1;
    const TOO_LARGE: isize = -7;
    const AGAIN: isize = -11;
    const INVALID: isize = -22;
    const MISSING: isize = -38;
    let no_follow = if follow { 0 } else { open::NOFOLLOW };
    let path_only = flags & open::PATH != 0;
    let flags = flags | no_follow | open::CLOEXEC | if path_only { 0 } else { open::NOCTTY };
    let mode = if flags & open::CREAT == 0 { 0 } else { mode };
    let how = [flags as u64, mode as u64, BENEATH | NO_MAGICLINKS];
    let text = match c_string(&path.0) {
        Ok(text) => text,
        Err(error) => return Ok(Err(error)),
    };
    let (text, how) = (text.as_ptr() as usize, (how.as_ptr() as usize, size_of_val(&how)));
    for _ in 0..ATTEMPTS {
        let a = [directory as usize, text, how.0, how.1, 0, 0];
        // SAFETY: reads the path and the structure only.
        match unsafe { linnet_host::syscall(nr::OPENAT2, a) } {
            MISSING => return Err(true),
            // A sandbox may say that, too.
            TOO_LARGE | INVALID | NOT_PERMITTED => return Err(false),
            AGAIN => {}
            number if number < 0 => {
                let error = Errno::from_host(-number);
                return Ok(Err(if error == ESCAPE { Errno::PERM } else { error }));
            }
            number => return Ok(Fd::new(number as usize)),
        }
    }
    Ok(Err(Errno::AGAIN))
}

/// A walk from directory to directory.
struct Walk {
    start: i32,
    /// The directories below it that the walk is in.
    entered: Vec<Fd>,
    /// What is left of the path.
    rest: Vec<u8>,
    links: u32,
}

impl Walk {
    fn here(&self) -> i32 {
        self.entered.last().map_or(self.start, Fd::number)
    }

    /// Goes on along a link.
    fn follow(&mut self, target: &[u8]) -> Result<()> {
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(Errno::LOOP);
        }
        if target.starts_with(b"/") {
            return Err(Errno::PERM);
        }
        if target.is_empty() {
            return Err(Errno::NOENT);
        }
        let mut rest = target.to_vec();
        rest.push(b'/');
        rest.extend_from_slice(&self.rest);
        // The slash was for what follows.
        if self.rest.is_empty() {
            rest.pop();
        }
        self.rest = rest;
        Ok(())
    }
}

/// [`open`] without the kernel's help.
fn walk(directory: i32, path: &Path, flags: usize, mode: usize, follow: bool) -> Result<Fd> {
    let mut walk = Walk { start: directory, entered: Vec::new(), rest: path.0.clone(), links: 0 };
    loop {
        let start = walk.rest.iter().position(|byte| *byte != b'/').unwrap_or(walk.rest.len());
        let name: Vec<u8> =
            walk.rest[start..].iter().copied().take_while(|byte| *byte != b'/').collect();
        let behind = walk.rest[start + name.len()..].to_vec();
        let is_last = behind.iter().all(|byte| *byte == b'/');
        let has_slash = !behind.is_empty();
        walk.rest = behind;
        match name.as_slice() {
            b"" | b"." if is_last => return end(&walk, flags, mode),
            b"" | b"." => {}
            b".." => {
                if walk.entered.pop().is_none() {
                    return Err(Errno::PERM);
                }
                if is_last {
                    return end(&walk, flags, mode);
                }
            }
            name if is_last && !has_slash => {
                let name = c_string(name)?;
                match last(&mut walk, &name, flags, mode, follow)? {
                    Some(fd) => return Ok(fd),
                    None => continue,
                }
            }
            name => {
                let name = c_string(name)?;
                let fd = match sys::openat(walk.here(), &name, open::PATH | open::NOFOLLOW, 0) {
                    // As the host has it.
                    Err(Errno::NOENT) if is_last && flags & open::CREAT != 0 => {
                        return Err(Errno::ISDIR);
                    }
                    opened => opened?,
                };
                match sys::fstat(fd.number())?.kind() {
                    mode::DIRECTORY => walk.entered.push(fd),
                    mode::LINK => {
                        let target = sys::readlinkat(fd.number(), c"")?;
                        walk.follow(&target)?;
                    }
                    _ => return Err(Errno::NOTDIR),
                }
            }
        }
    }
}

/// The path ends in the directory where the walk is.
fn end(walk: &Walk, flags: usize, mode: usize) -> Result<Fd> {
    match flags & (open::CREAT | open::EXCL) {
        0 => sys::openat(walk.here(), c".", flags, mode),
        open::CREAT => Err(Errno::ISDIR),
        _ => Err(Errno::EXIST),
    }
}

/// The last name of the path; none if it is a link, along which the walk goes on.
fn last(
    walk: &mut Walk,
    name: &CString,
    flags: usize,
    mode: usize,
    follow: bool,
) -> Result<Option<Fd>> {
    let opened = sys::openat(walk.here(), name, flags | open::NOFOLLOW, mode);
    let may_be_link = match &opened {
        Ok(fd) => flags & open::PATH != 0 && sys::fstat(fd.number())?.kind() == mode::LINK,
        Err(error) => *error == Errno::LOOP || *error == Errno::NOTDIR,
    };
    if !follow || !may_be_link {
        return opened.map(Some);
    }
    match sys::readlinkat(walk.here(), name) {
        Ok(target) => {
            walk.follow(&target)?;
            Ok(None)
        }
        Err(_) => opened.map(Some),
    }
}
