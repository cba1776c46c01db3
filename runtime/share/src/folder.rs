//! Which request is answered by what.

use crate::fuse::{self, feature, operation as op};
use crate::handles::Handles;
use crate::host::{self, Status};
use crate::nodes::Nodes;
use crate::request::{Answer, Arguments, Header, INVALID};
use linnet_device::sys::{Errno, Fd, Result};
use linnet_virtio::memory::IoVec;

const NOT_IMPLEMENTED: Errno = Errno(38);
const NO_SUCH_CONTROL: Errno = Errno(25);
const READ_ONLY: Errno = Errno(30);
const PROTOCOL: Errno = Errno(71);

/// How long the guest's kernel takes attributes and names for what they were, in nanoseconds: so long it may not see
/// what the host has changed.
const VALID: u32 = 10_000_000;

/// Pages of the longest read or write: so long that several fit into the queue at once.
const MAX_PAGES: u32 = 32;
/// Bytes of the longest write, with the largest pages of a guest.
const MAX_WRITE: u32 = MAX_PAGES * (64 << 10);
/// Requests that the guest does not wait for: read-ahead.
const MAX_BACKGROUND: u32 = 64;

/// A shared folder.
#[derive(Debug)]
pub struct Folder {
    pub(crate) nodes: Nodes,
    pub(crate) handles: Handles,
    read_only: bool,
    /// New files are given to who makes them.
    pub(crate) gives: bool,
}

/// What is behind the arguments of a request, in guest memory.
pub type Contents<'p> = &'p mut [IoVec];

impl Folder {
    /// With so many descriptors.
    pub fn new(root: Fd, read_only: bool, descriptors: usize) -> Result<Folder> {
        /// Those for other things, and one that is opened before there is found to be no room.
        const OTHERS: usize = 32;
        let handles = descriptors / 4;
        let most = descriptors.saturating_sub(handles + OTHERS);
        let status = host::status(&root)?;
        Ok(Folder {
            nodes: Nodes::new(root, &status, most),
            handles: Handles::new(handles),
            read_only,
            gives: host::is_root(),
        })
    }

    /// May something be changed?
    pub(crate) fn writable(&self) -> Result<()> {
        if self.read_only { Err(READ_ONLY) } else { Ok(()) }
    }

    /// Nobody waits for an answer to these. Whether it is one of them.
    pub fn note(&mut self, header: &Header, mut arguments: Arguments<'_>) -> bool {
        let mut forget = |node, times: Result<u64>| {
            times.is_ok_and(|times| {
                self.nodes.forget(node, times);
                true
            })
        };
        match header.operation {
            op::FORGET => {
                forget(header.node, arguments.u64());
            }
            op::BATCH_FORGET => {
                // Their count is how many there are.
                let _ = arguments.skip(8);
                while let Ok(node) = arguments.u64() {
                    if !forget(node, arguments.u64()) {
                        break;
                    }
                }
            }
            op::INTERRUPT => {}
            _ => return false,
        }
        true
    }

    pub fn answer(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        contents: Contents<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        match header.operation {
            op::INIT => self.init(arguments, answer),
            op::DESTROY => {
                self.clear();
                Ok(())
            }
            op::LOOKUP => self.look_up(header, arguments, answer),
            op::MKNOD => self.make_node(header, arguments, answer),
            op::MKDIR => self.make_directory(header, arguments, answer),
            op::SYMLINK => self.make_link(header, arguments, answer),
            op::LINK => self.link(header, arguments, answer),
            op::CREATE => self.create(header, arguments, answer),
            op::UNLINK => self.remove(header, arguments, false),
            op::RMDIR => self.remove(header, arguments, true),
            op::RENAME => self.rename(header, arguments, false),
            op::RENAME2 => self.rename(header, arguments, true),
            op::READLINK => self.read_link(header, answer),
            op::GETATTR => self.status(header, arguments, answer),
            op::SETATTR => self.set_status(header, arguments, answer),
            op::STATFS => self.file_system(header, answer),
            op::SETXATTR => self.set_attribute(header, arguments),
            op::GETXATTR => self.attribute(header, arguments, answer),
            op::LISTXATTR => self.attributes(header, arguments, answer),
            op::REMOVEXATTR => self.remove_attribute(header, arguments),
            op::OPEN => self.open(header, arguments, answer),
            op::READ => self.read(arguments, answer),
            op::WRITE => self.write(arguments, contents, answer),
            op::FALLOCATE => self.allocate(arguments),
            op::LSEEK => self.seek(arguments, answer),
            op::COPY_FILE_RANGE => self.copy_range(arguments, answer),
            op::FSYNC | op::FSYNCDIR => self.sync(arguments),
            op::SYNCFS => self.sync_file_system(),
            op::RELEASE | op::RELEASEDIR => {
                self.handles.close(arguments.u64()?);
                Ok(())
            }
            op::OPENDIR => self.open_directory(header, answer),
            op::READDIR => self.list(header, arguments, answer, false),
            op::READDIRPLUS => self.list(header, arguments, answer, true),
            op::IOCTL => Err(NO_SUCH_CONTROL),
            // The guest's kernel asks no more. It checks permissions itself, has locks of its own, and writes
            // everything before it closes a file.
            _ => Err(NOT_IMPLEMENTED),
        }
    }

    /// The guest knows nothing any more.
    fn clear(&mut self) {
        self.handles.clear();
        self.nodes.clear();
    }

    fn init(&mut self, arguments: &mut Arguments<'_>, answer: &mut Answer<'_>) -> Result<()> {
        const WANTED: u32 = feature::ASYNC_READ
            | feature::ATOMIC_TRUNCATION
            | feature::BIG_WRITES
            | feature::INVALIDATES_DATA
            | feature::READDIRPLUS
            | feature::READDIRPLUS_AUTO
            | feature::ASYNC_DIRECT_IO
            | feature::PARALLEL_DIRECTORIES
            | feature::MAX_PAGES
            | feature::KILLS_PRIVILEGES;
        const SIZE: usize = 64;
        let (major, minor) = (arguments.u32()?, arguments.u32()?);
        let (read_ahead, flags) = (arguments.u32()?, arguments.u32()?);
        if major != fuse::MAJOR || minor < fuse::MINOR_LEAST {
            return Err(PROTOCOL);
        }
        self.clear();
        answer.u32(fuse::MAJOR);
        answer.u32(fuse::MINOR.min(minor));
        answer.u32(read_ahead);
        answer.u32(flags & WANTED);
        answer.u32(MAX_BACKGROUND | (MAX_BACKGROUND * 3 / 4) << 16);
        answer.u32(MAX_WRITE);
        // Times are exact to the nanosecond.
        answer.u32(1);
        answer.u32(MAX_PAGES);
        answer.bytes.resize(SIZE, 0);
        Ok(())
    }

    /// Tell the guest of a file: `struct fuse_entry_out`.
    pub(crate) fn tell(&mut self, fd: Fd, status: &Status, answer: &mut Answer<'_>) -> Result<()> {
        let node = self.nodes.tell(fd, status)?;
        self.entry(node, status, answer);
        Ok(())
    }

    /// The same without a file, if the number is 0.
    pub(crate) fn entry(&self, node: u64, status: &Status, answer: &mut Answer<'_>) {
        answer.u64(node);
        answer.bytes.resize(answer.bytes.len() + 24, 0);
        answer.u32(VALID);
        answer.u32(VALID);
        self.attributes_of(status, answer);
    }

    /// `struct fuse_attr_out`
    pub(crate) fn tell_status(&self, status: &Status, answer: &mut Answer<'_>) {
        answer.u64(0);
        answer.u32(VALID);
        answer.u32(0);
        self.attributes_of(status, answer);
    }

    /// `struct fuse_attr`
    fn attributes_of(&self, status: &Status, answer: &mut Answer<'_>) {
        let times = [status.accessed, status.modified, status.changed];
        for word in [self.number(status), status.size, status.blocks] {
            answer.u64(word);
        }
        times.iter().for_each(|time| answer.u64(time.seconds as u64));
        times.iter().for_each(|time| answer.u32(time.nanoseconds));
        let (major, minor) = status.is_device;
        let device = minor & 0xff | major << 8 | (minor & !0xff) << 12;
        let Status { mode, links, user, group, block_size, .. } = *status;
        for word in [mode, links, user, group, device, block_size, 0] {
            answer.u32(word);
        }
    }

    /// A file's number in the guest, where all of the folder is one device: what is mounted in it must not have the same
    /// numbers.
    fn number(&self, status: &Status) -> u64 {
        if self.nodes.device() == Some(status.device) {
            return status.number;
        }
        let (major, minor) = status.device;
        status.number ^ (u64::from(major) << 32 | u64::from(minor) | 1).rotate_left(40)
    }

    /// Whose descriptor it is: that of a handle, if there is one.
    pub(crate) fn descriptor(&self, header: &Header, handle: Option<u64>) -> Result<&Fd> {
        match handle {
            Some(handle) => self.handles.any(handle),
            None => Ok(&self.nodes.get(header.node)?.fd),
        }
    }
}

/// A length that the guest gives, as the host takes it.
pub fn offset(value: u64) -> Result<u64> {
    if i64::try_from(value).is_ok() { Ok(value) } else { Err(INVALID) }
}
