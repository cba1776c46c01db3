//! Requests about what is in files.

use crate::folder::{Contents, Folder, offset};
use crate::fuse::{
    FSYNC_DATA, KEEP_CACHE, OPEN_KILL_PRIVILEGES, WRITE_CACHE, WRITE_KILL_PRIVILEGES,
};
use crate::handles::Handle;
use crate::host::{self, kind, open};
use crate::request::{Answer, Arguments, Header, INVALID};
use linnet_device::sys::{Errno, Fd, Result};
use linnet_virtio::parts::cut;

const NO_DEVICE: Errno = Errno(6);
const IS_DIRECTORY: Errno = Errno(21);

/// What of the guest's flags the host gets. Appending is said with each write, and the guest's cache needs no
/// alignment.
pub fn flags(asked: u32) -> u32 {
    asked & (open::ACCESS | open::TRUNCATE | open::SYNC) | open::NONBLOCK
}

/// Open a regular file.
pub fn open_file(node: &Fd, flags: u32, open_flags: u32) -> Result<Fd> {
    let file = host::open_again(node, flags)?;
    if flags & open::TRUNCATE != 0 && open_flags & OPEN_KILL_PRIVILEGES != 0 {
        host::kill_privileges(node)?;
    }
    Ok(file)
}

/// `struct fuse_open_out`
pub fn tell_handle(handle: u64, answer: &mut Answer<'_>) {
    answer.u64(handle);
    answer.u32(KEEP_CACHE);
    answer.u32(0);
}

impl Folder {
    pub(crate) fn open(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let (flags, open_flags) = (flags(arguments.u32()?), arguments.u32()?);
        if flags & (open::WRITE_ONLY | open::READ_WRITE | open::TRUNCATE) != 0 {
            self.writable()?;
        }
        self.handles.has_room()?;
        let node = self.nodes.get(header.node)?;
        match node.kind {
            kind::FILE => {}
            kind::DIRECTORY => return Err(IS_DIRECTORY),
            // The guest's kernel has FIFOs and sockets itself; devices of the host are nobody's.
            _ => return Err(NO_DEVICE),
        }
        let file = open_file(&node.fd, flags, open_flags)?;
        let handle = self.handles.add(Handle::File(file));
        tell_handle(handle, answer);
        Ok(())
    }

    /// The host writes to guest memory itself.
    pub(crate) fn read(
        &mut self,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let (handle, at, size) = (arguments.u64()?, offset(arguments.u64()?)?, arguments.u32()?);
        let file = self.handles.file(handle)?;
        cut(&mut answer.parts, size as usize);
        answer.written = host::read(file, answer.parts, at)?;
        Ok(())
    }

    /// And reads from it.
    pub(crate) fn write(
        &mut self,
        arguments: &mut Arguments<'_>,
        mut contents: Contents<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let (handle, at, size) = (arguments.u64()?, offset(arguments.u64()?)?, arguments.u32()?);
        let write_flags = arguments.u32()?;
        arguments.skip(8)?;
        let flags = arguments.u32()?;
        self.writable()?;
        let file = self.handles.file(handle)?;
        if cut(&mut contents, size as usize) != size as usize {
            return Err(INVALID);
        }
        if write_flags & WRITE_KILL_PRIVILEGES != 0 {
            host::kill_privileges(file)?;
        }
        let appends = flags & open::APPEND != 0 && write_flags & WRITE_CACHE == 0;
        let written =
            if appends { host::append(file, contents)? } else { host::write(file, contents, at)? };
        answer.u32(written as u32);
        answer.u32(0);
        Ok(())
    }

    pub(crate) fn allocate(&mut self, arguments: &mut Arguments<'_>) -> Result<()> {
        let handle = arguments.u64()?;
        let (at, len) = (offset(arguments.u64()?)?, offset(arguments.u64()?)?);
        let mode = arguments.u32()?;
        self.writable()?;
        host::allocate(self.handles.file(handle)?, mode, at, len)
    }

    /// To data, or to a hole: the guest does the others.
    pub(crate) fn seek(
        &mut self,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        const DATA: u32 = 3;
        const HOLE: u32 = 4;
        let (handle, at, whence) = (arguments.u64()?, offset(arguments.u64()?)?, arguments.u32()?);
        if !matches!(whence, DATA | HOLE) {
            return Err(INVALID);
        }
        let at = host::seek(self.handles.file(handle)?, at, whence)?;
        answer.u64(at);
        Ok(())
    }

    pub(crate) fn copy_range(
        &mut self,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        /// The answer has 32 bits for it.
        const MOST: u64 = 1 << 30;
        let (from, source) = (arguments.u64()?, offset(arguments.u64()?)?);
        arguments.skip(8)?;
        let (to, target) = (arguments.u64()?, offset(arguments.u64()?)?);
        let len = arguments.u64()?.min(MOST) as usize;
        self.writable()?;
        let (from, to) = (self.handles.file(from)?, self.handles.file(to)?);
        let copied = host::copy_range((from, source), (to, target), len)?;
        answer.u32(copied as u32);
        answer.u32(0);
        Ok(())
    }

    pub(crate) fn sync(&mut self, arguments: &mut Arguments<'_>) -> Result<()> {
        let (handle, flags) = (arguments.u64()?, arguments.u32()?);
        host::sync(self.handles.any(handle)?, flags & FSYNC_DATA != 0)
    }

    pub(crate) fn sync_file_system(&mut self) -> Result<()> {
        let root = self.nodes.directory(crate::fuse::ROOT)?;
        host::sync_file_system(&host::open_again(root, open::DIRECTORY)?)
    }
}
