//! Files and directories that the guest knows, by the numbers that it has got for them.

use crate::fuse::ROOT;
use crate::host::{Status, kind};
use hashbrown::HashMap;
use linnet_device::sys::{Errno, Fd, Result};

const STALE: Errno = Errno(116);
const NOT_A_DIRECTORY: Errno = Errno(20);

/// Which file it is on the host, as long as it is open.
type Key = ((u32, u32), u64);

/// One of them. It holds a descriptor without access, and so is the same one whatever is renamed.
#[derive(Debug)]
pub struct Node {
    pub fd: Fd,
    /// Which kind of file it is: bits of the mode.
    pub kind: u32,
    key: Key,
    /// How often the guest was told of it, and has not forgotten it.
    known: u64,
}

#[derive(Debug)]
pub struct Nodes {
    by_number: HashMap<u64, Node>,
    by_key: HashMap<Key, u64>,
    next: u64,
    most: usize,
}

impl Nodes {
    /// With the folder itself, and room for so many.
    pub fn new(root: Fd, status: &Status, most: usize) -> Nodes {
        let key = (status.device, status.number);
        let node = Node { fd: root, kind: status.kind(), key, known: 1 };
        Nodes {
            by_number: [(ROOT, node)].into_iter().collect(),
            by_key: [(key, ROOT)].into_iter().collect(),
            next: ROOT + 1,
            most,
        }
    }

    /// The guest begins anew.
    pub fn clear(&mut self) {
        self.by_number.retain(|number, _| *number == ROOT);
        self.by_key.retain(|_, number| *number == ROOT);
    }

    pub fn get(&self, number: u64) -> Result<&Node> {
        self.by_number.get(&number).ok_or(STALE)
    }

    pub fn directory(&self, number: u64) -> Result<&Fd> {
        let node = self.get(number)?;
        if node.kind == kind::DIRECTORY { Ok(&node.fd) } else { Err(NOT_A_DIRECTORY) }
    }

    /// The device that the folder is on.
    pub fn device(&self) -> Option<(u32, u32)> {
        self.by_number.get(&ROOT).map(|root| root.key.0)
    }

    /// Is more than half of the room left?
    pub fn has_much_room(&self) -> bool {
        self.by_number.len() < self.most / 2
    }

    /// Tell the guest of a file: its number.
    pub fn tell(&mut self, fd: Fd, status: &Status) -> Result<u64> {
        let key = (status.device, status.number);
        if let Some(number) = self.by_key.get(&key)
            && let Some(node) = self.by_number.get_mut(number)
        {
            node.known = node.known.saturating_add(1);
            return Ok(*number);
        }
        if self.by_number.len() >= self.most {
            return Err(Errno::NFILE);
        }
        let number = self.next;
        self.next += 1;
        self.by_number.insert(number, Node { fd, kind: status.kind(), key, known: 1 });
        self.by_key.insert(key, number);
        Ok(number)
    }

    /// The guest has forgotten so many of the times that it was told.
    pub fn forget(&mut self, number: u64, times: u64) {
        if number == ROOT {
            return;
        }
        let Some(node) = self.by_number.get_mut(&number) else { return };
        node.known = node.known.saturating_sub(times);
        if node.known == 0 {
            self.by_key.remove(&node.key);
            self.by_number.remove(&number);
        }
    }
}
