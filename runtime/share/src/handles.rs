//! Files and directories that the guest has open, by the numbers that it has got for them.

use crate::listing::Directory;
use hashbrown::HashMap;
use linnet_device::sys::{Errno, Fd, Result};

const BAD_DESCRIPTOR: Errno = Errno(9);

#[derive(Debug)]
pub enum Handle {
    File(Fd),
    Directory(Directory),
}

impl Handle {
    pub fn fd(&self) -> &Fd {
        match self {
            Handle::File(fd) => fd,
            Handle::Directory(directory) => directory.fd(),
        }
    }
}

#[derive(Debug)]
pub struct Handles {
    by_number: HashMap<u64, Handle>,
    next: u64,
    most: usize,
}

impl Handles {
    pub fn new(most: usize) -> Handles {
        Handles { by_number: HashMap::new(), next: 1, most }
    }

    /// The guest begins anew.
    pub fn clear(&mut self) {
        self.by_number.clear();
    }

    pub fn has_room(&self) -> Result<()> {
        if self.by_number.len() < self.most { Ok(()) } else { Err(Errno::NFILE) }
    }

    pub fn add(&mut self, handle: Handle) -> u64 {
        let number = self.next;
        self.next += 1;
        self.by_number.insert(number, handle);
        number
    }

    pub fn file(&self, number: u64) -> Result<&Fd> {
        match self.by_number.get(&number) {
            Some(Handle::File(fd)) => Ok(fd),
            _ => Err(BAD_DESCRIPTOR),
        }
    }

    pub fn directory(&mut self, number: u64) -> Result<&mut Directory> {
        match self.by_number.get_mut(&number) {
            Some(Handle::Directory(directory)) => Ok(directory),
            _ => Err(BAD_DESCRIPTOR),
        }
    }

    /// Of a file or a directory.
    pub fn any(&self, number: u64) -> Result<&Fd> {
        self.by_number.get(&number).map(Handle::fd).ok_or(BAD_DESCRIPTOR)
    }

    pub fn close(&mut self, number: u64) {
        self.by_number.remove(&number);
    }
}
