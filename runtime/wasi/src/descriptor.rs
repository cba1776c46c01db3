//! The guest's descriptors.

use crate::errno::{Errno, Result};
use crate::sys::{self, Fd, Stat, mode, nr, open};
use alloc::sync::Arc;
use alloc::vec::Vec;
use linnet_embed::Lock;

/// Bits of what may be done with a descriptor.
pub mod rights {
    pub const FD_DATASYNC: u64 = 1 << 0;
    pub const FD_READ: u64 = 1 << 1;
    pub const FD_SEEK: u64 = 1 << 2;
    pub const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
    pub const FD_SYNC: u64 = 1 << 4;
    pub const FD_TELL: u64 = 1 << 5;
    pub const FD_WRITE: u64 = 1 << 6;
    pub const FD_ADVISE: u64 = 1 << 7;
    pub const FD_ALLOCATE: u64 = 1 << 8;
    pub const PATH_CREATE_DIRECTORY: u64 = 1 << 9;
    pub const PATH_CREATE_FILE: u64 = 1 << 10;
    pub const PATH_LINK_SOURCE: u64 = 1 << 11;
    pub const PATH_LINK_TARGET: u64 = 1 << 12;
    pub const PATH_OPEN: u64 = 1 << 13;
    pub const FD_READDIR: u64 = 1 << 14;
    pub const PATH_READLINK: u64 = 1 << 15;
    pub const PATH_RENAME_SOURCE: u64 = 1 << 16;
    pub const PATH_RENAME_TARGET: u64 = 1 << 17;
    pub const PATH_FILESTAT_GET: u64 = 1 << 18;
    pub const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
    pub const PATH_FILESTAT_SET_TIMES: u64 = 1 << 20;
    pub const FD_FILESTAT_GET: u64 = 1 << 21;
    pub const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
    pub const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
    pub const PATH_SYMLINK: u64 = 1 << 24;
    pub const PATH_REMOVE_DIRECTORY: u64 = 1 << 25;
    pub const PATH_UNLINK_FILE: u64 = 1 << 26;
    pub const POLL_FD_READWRITE: u64 = 1 << 27;
    pub const SOCK_SHUTDOWN: u64 = 1 << 28;
    pub const SOCK_ACCEPT: u64 = 1 << 29;

    /// What a directory is good for.
    pub const DIRECTORY: u64 = PATH_CREATE_DIRECTORY
        | PATH_CREATE_FILE
        | PATH_LINK_SOURCE
        | PATH_LINK_TARGET
        | PATH_OPEN
        | FD_READDIR
        | PATH_READLINK
        | PATH_RENAME_SOURCE
        | PATH_RENAME_TARGET
        | PATH_FILESTAT_GET
        | PATH_FILESTAT_SET_SIZE
        | PATH_FILESTAT_SET_TIMES
        | FD_FILESTAT_GET
        | FD_FILESTAT_SET_TIMES
        | FD_FDSTAT_SET_FLAGS
        | FD_SYNC
        | FD_DATASYNC
        | PATH_SYMLINK
        | PATH_REMOVE_DIRECTORY
        | PATH_UNLINK_FILE;

    /// What a stream is good for.
    pub const STREAM: u64 =
        FD_READ | FD_WRITE | FD_FDSTAT_SET_FLAGS | FD_FILESTAT_GET | POLL_FD_READWRITE;

    /// What a file is good for.
    pub const FILE: u64 = STREAM
        | FD_DATASYNC
        | FD_SEEK
        | FD_SYNC
        | FD_TELL
        | FD_ADVISE
        | FD_ALLOCATE
        | FD_FILESTAT_SET_SIZE
        | FD_FILESTAT_SET_TIMES;

    pub const SOCKET: u64 = STREAM | SOCK_SHUTDOWN | SOCK_ACCEPT;
}

/// Types of files.
pub mod filetype {
    pub const UNKNOWN: u8 = 0;
    pub const BLOCK_DEVICE: u8 = 1;
    pub const CHARACTER_DEVICE: u8 = 2;
    pub const DIRECTORY: u8 = 3;
    pub const REGULAR_FILE: u8 = 4;
    pub const SOCKET_DGRAM: u8 = 5;
    pub const SOCKET_STREAM: u8 = 6;
    pub const SYMBOLIC_LINK: u8 = 7;
}

/// The type of a file that is not open.
pub fn type_of(stat: &Stat) -> u8 {
    match stat.kind() {
        mode::BLOCK => filetype::BLOCK_DEVICE,
        mode::CHARACTER => filetype::CHARACTER_DEVICE,
        mode::DIRECTORY => filetype::DIRECTORY,
        mode::REGULAR => filetype::REGULAR_FILE,
        mode::LINK => filetype::SYMBOLIC_LINK,
        mode::SOCKET => filetype::SOCKET_STREAM,
        _ => filetype::UNKNOWN,
    }
}

/// An open file, directory, stream or socket.
#[derive(Debug)]
pub struct Open {
    /// None: one of the host's standard streams, which stay open for what the runtime has to say.
    fd: Option<Fd>,
    number: i32,
    pub filetype: u8,
    /// What it was opened for, as the host has it.
    access: usize,
    /// The name that the guest knows a directory by from the beginning.
    pub preopened: Option<Vec<u8>>,
}

impl Open {
    pub fn is_for_reading(&self) -> bool {
        self.access != open::WRONLY
    }

    pub fn is_for_writing(&self) -> bool {
        self.access != 0
    }
}

/// A descriptor of the guest: what is open, and what may be done with it.
#[derive(Debug, Clone)]
pub struct Descriptor {
    open: Arc<Open>,
    pub base: u64,
    pub inheriting: u64,
}

impl Descriptor {
    /// The host's number of it.
    pub fn host(&self) -> i32 {
        self.open.fd.as_ref().map_or(self.open.number, Fd::number)
    }

    pub fn open(&self) -> &Open {
        &self.open
    }

    /// A stream of the host.
    pub fn stream(number: i32) -> Result<Descriptor> {
        Descriptor::with(None, number, None)
    }

    pub fn new(fd: Fd) -> Result<Descriptor> {
        let number = fd.number();
        Descriptor::with(Some(fd), number, None)
    }

    pub fn preopened(fd: Fd, name: Vec<u8>) -> Result<Descriptor> {
        let number = fd.number();
        Descriptor::with(Some(fd), number, Some(name))
    }

    fn with(fd: Option<Fd>, number: i32, preopened: Option<Vec<u8>>) -> Result<Descriptor> {
        let filetype = match type_of(&sys::fstat(number)?) {
            filetype::SOCKET_STREAM => socket_type(number),
            other => other,
        };
        let access = plain_flags(number)? & 3;
        let (mut base, mut inheriting) = match filetype {
            filetype::DIRECTORY => (rights::DIRECTORY, rights::DIRECTORY | rights::FILE),
            filetype::SOCKET_DGRAM | filetype::SOCKET_STREAM => (rights::SOCKET, rights::SOCKET),
            // What cannot seek is a terminal to the guest's C library, if it is a device.
            _ if plain_seek(number).is_ok() => (rights::FILE, 0),
            _ => (rights::STREAM, 0),
        };
        if filetype != filetype::DIRECTORY {
            if access == open::WRONLY {
                base &= !rights::FD_READ;
            }
            if access == 0 {
                base &= !rights::FD_WRITE;
            }
        }
        if preopened.is_none() && fd.is_none() {
            inheriting = 0;
        }
        Ok(Descriptor {
            open: Arc::new(Open { fd, number, filetype, access, preopened }),
            base,
            inheriting,
        })
    }

    /// The same with rights that its directory lets it have.
    pub fn within(mut self, inheriting: u64) -> Descriptor {
        self.base &= inheriting;
        self.inheriting &= inheriting;
        self
    }

    /// An error if one of these rights was dropped.
    pub fn need(&self, rights: u64) -> Result<()> {
        if self.base & rights == rights { Ok(()) } else { Err(Errno::NOTCAPABLE) }
    }

    pub fn is_directory(&self) -> bool {
        self.open.filetype == filetype::DIRECTORY
    }
}

const GETFL: usize = 3;
const SEEK_CUR: usize = 1;

/// Flags of an open file of the host.
pub fn plain_flags(number: i32) -> Result<usize> {
    sys::plain(nr::FCNTL, [number as usize, GETFL, 0, 0])
}

fn plain_seek(number: i32) -> Result<usize> {
    if is_terminal(number) {
        return Err(Errno::SPIPE);
    }
    sys::plain(nr::LSEEK, [number as usize, 0, SEEK_CUR, 0])
}

fn is_terminal(number: i32) -> bool {
    const TCGETS: usize = 0x5401;
    let mut state = [0_u64; 8];
    // SAFETY: writes the state, for which there is room.
    unsafe { sys::call(nr::IOCTL, [number as usize, TCGETS, state.as_mut_ptr() as usize, 0, 0, 0]) }
        .is_ok()
}

fn socket_type(number: i32) -> u8 {
    const SOL_SOCKET: usize = 1;
    const SO_TYPE: usize = 3;
    const SOCK_DGRAM: u32 = 2;
    let (mut kind, mut size) = (0_u32, 4_u32);
    let place = (&raw mut kind as usize, &raw mut size as usize);
    // SAFETY: writes the two words.
    let asked = unsafe {
        sys::call(nr::GETSOCKOPT, [number as usize, SOL_SOCKET, SO_TYPE, place.0, place.1, 0])
    };
    match (asked, kind) {
        (Ok(_), SOCK_DGRAM) => filetype::SOCKET_DGRAM,
        _ => filetype::SOCKET_STREAM,
    }
}

/// Most descriptors that a guest may have.
const MOST: usize = 1 << 20;

static TABLE: Lock<Vec<Option<Descriptor>>> = Lock::new(Vec::new());

/// The descriptor of that number.
pub fn get(number: u32) -> Result<Descriptor> {
    let table = TABLE.lock();
    table.get(number as usize).and_then(Clone::clone).ok_or(Errno::BADF)
}

/// The same if it has these rights.
pub fn with_rights(number: u32, rights: u64) -> Result<Descriptor> {
    let descriptor = get(number)?;
    descriptor.need(rights)?;
    Ok(descriptor)
}

/// A directory that has these rights.
pub fn directory(number: u32, rights: u64) -> Result<Descriptor> {
    let descriptor = get(number)?;
    if !descriptor.is_directory() {
        return Err(Errno::NOTDIR);
    }
    descriptor.need(rights)?;
    Ok(descriptor)
}

/// Gives it the lowest free number.
pub fn insert(descriptor: Descriptor) -> Result<u32> {
    let mut table = TABLE.lock();
    let free = table.iter().position(Option::is_none).unwrap_or(table.len());
    if free >= MOST {
        return Err(Errno::NFILE);
    }
    if free == table.len() {
        table.push(None);
    }
    table[free] = Some(descriptor);
    Ok(free as u32)
}

/// Adds what may be missing, at the next number.
pub fn push(descriptor: Option<Descriptor>) {
    TABLE.lock().push(descriptor);
}

pub fn remove(number: u32) -> Result<()> {
    // Dropped when the table is free again: closing may take long.
    let removed = TABLE.lock().get_mut(number as usize).and_then(Option::take);
    removed.map(drop).ok_or(Errno::BADF)
}

/// Changes the rights of a descriptor to fewer ones.
pub fn restrict(number: u32, base: u64, inheriting: u64) -> Result<()> {
    let mut table = TABLE.lock();
    let descriptor = table.get_mut(number as usize).and_then(Option::as_mut).ok_or(Errno::BADF)?;
    if base & !descriptor.base != 0 || inheriting & !descriptor.inheriting != 0 {
        return Err(Errno::NOTCAPABLE);
    }
    (descriptor.base, descriptor.inheriting) = (base, inheriting);
    Ok(())
}

/// Puts the descriptor `from` in the place of `to`.
pub fn renumber(from: u32, to: u32) -> Result<()> {
    let replaced = {
        let mut table = TABLE.lock();
        let (from, to) = (from as usize, to as usize);
        if table.get(from).is_none_or(Option::is_none) || table.get(to).is_none_or(Option::is_none)
        {
            return Err(Errno::BADF);
        }
        if from == to {
            return Ok(());
        }
        let moved = table[from].take();
        core::mem::replace(&mut table[to], moved)
    };
    drop(replaced);
    Ok(())
}
