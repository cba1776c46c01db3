//! Requests about what is in directories.

use crate::folder::{Folder, offset};
use crate::fuse::ROOT;
use crate::handles::Handle;
use crate::host::{self, open};
use crate::request::{Answer, Arguments, Header, Name};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use linnet_device::sys::{Errno, Fd, Result};

/// Bytes of entries that are asked for at once.
const BUFFER: usize = 32 << 10;

/// `struct fuse_entry_out`, and `struct fuse_dirent` without the name.
const ENTRY_SIZE: usize = 128;
const HEAD_SIZE: usize = 24;

/// An open directory, and entries that were read and not told yet.
#[derive(Debug)]
pub struct Directory {
    fd: Fd,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// Where in the directory the next entry is.
    place: u64,
}

/// An entry as the host gives it.
struct Entry {
    number: u64,
    /// Where the one behind it is.
    next: u64,
    kind: u8,
    name: Vec<u8>,
    /// Bytes of it in the buffer.
    size: usize,
}

impl Directory {
    fn new(fd: Fd) -> Directory {
        Directory { fd, buffer: vec![0; BUFFER].into(), at: 0, end: 0, place: 0 }
    }

    pub fn fd(&self) -> &Fd {
        &self.fd
    }

    /// Go to a place in the directory.
    fn go(&mut self, place: u64) -> Result<()> {
        if place != self.place {
            host::seek(&self.fd, place, 0)?;
            (self.at, self.end, self.place) = (0, 0, place);
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Entry>> {
        if self.at == self.end {
            self.end = host::entries(&self.fd, &mut self.buffer)?;
            self.at = 0;
        }
        Ok(parse(&self.buffer[self.at..self.end]))
    }
}

/// `struct linux_dirent64`
fn parse(bytes: &[u8]) -> Option<Entry> {
    const HEAD: usize = 19;
    let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let (number, next) = (word(0)?, word(8)?);
    let size = usize::from(u16::from_le_bytes(bytes.get(16..18)?.try_into().ok()?));
    let kind = *bytes.get(18)?;
    let name = bytes.get(HEAD..size)?;
    let len = name.iter().position(|byte| *byte == 0)?;
    Some(Entry { number, next, kind, name: name[..len].to_vec(), size })
}

impl Folder {
    pub(crate) fn open_directory(
        &mut self,
        header: &Header,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        self.handles.has_room()?;
        let fd = host::open_again(self.nodes.directory(header.node)?, open::DIRECTORY)?;
        let handle = self.handles.add(Handle::Directory(Directory::new(fd)));
        answer.u64(handle);
        answer.u64(0);
        Ok(())
    }

    /// Tell of entries, as many as there is room for; `plus` also of the files.
    pub(crate) fn list(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
        plus: bool,
    ) -> Result<()> {
        let (handle, place) = (arguments.u64()?, offset(arguments.u64()?)?);
        let room = answer.room.min(arguments.u32()? as usize);
        self.handles.directory(handle)?.go(place)?;
        loop {
            let directory = self.handles.directory(handle)?;
            let Entry { number, next, kind, name, size } = match directory.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => return Ok(()),
                // What comes before the error is told first.
                Err(_) if !answer.bytes.is_empty() => return Ok(()),
                Err(errno) => return Err(errno),
            };
            let head = if plus { ENTRY_SIZE } else { 0 } + HEAD_SIZE;
            if answer.bytes.len() + (head + name.len()).next_multiple_of(8) > room {
                return Ok(());
            }
            (directory.at, directory.place) = (directory.at + size, next);
            // They have no number that the guest could look up, and what is above the folder is not its own.
            let is_dots = matches!(&name[..], b"." | b"..");
            if plus {
                let told = answer.bytes.len();
                // Those that are gone meanwhile, or for which there is no room, the guest looks up itself.
                if is_dots || self.tell_entry(header, &name, answer).is_err() {
                    answer.bytes.resize(told + ENTRY_SIZE, 0);
                }
            }
            answer.u64(if is_dots && header.node == ROOT { ROOT } else { number });
            answer.u64(next);
            answer.u32(name.len() as u32);
            answer.u32(kind.into());
            answer.bytes.extend_from_slice(&name);
            answer.bytes.resize(answer.bytes.len().next_multiple_of(8), 0);
        }
    }

    /// Tell of the file that an entry of a directory names.
    fn tell_entry(&mut self, header: &Header, name: &[u8], answer: &mut Answer<'_>) -> Result<()> {
        let name = Name::new(name)?;
        if !self.nodes.has_much_room() {
            return Err(Errno::NFILE);
        }
        let fd = host::look_up(self.nodes.directory(header.node)?, &name)?;
        let status = host::status(&fd)?;
        self.tell(fd, &status, answer)
    }
}
