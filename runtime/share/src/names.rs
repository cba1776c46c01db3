//! Requests about names: look-up, creation, removal, renaming.

use crate::files;
use crate::folder::Folder;
use crate::handles::Handle;
use crate::host::{self, SET_GROUP_ID, SET_USER_ID, kind, open};
use crate::request::{Answer, Arguments, Header, INVALID, Name, TARGET_MAX};
use linnet_device::sys::{Errno, Fd, Result};

const EXISTS: Errno = Errno(17);
const IS_DIRECTORY: Errno = Errno(21);
const LOOP: Errno = Errno(40);
const NO_DEVICE: Errno = Errno(6);
const NOT_PERMITTED: Errno = Errno(1);

/// Permissions in a mode.
const PERMISSIONS: u32 = 0o7777;

impl Folder {
    pub(crate) fn look_up(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let name = arguments.name()?;
        let fd = host::look_up(self.nodes.directory(header.node)?, &name)?;
        let status = host::status(&fd)?;
        self.tell(fd, &status, answer)
    }

    pub(crate) fn make_node(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let mode = arguments.u32()?;
        arguments.skip(12)?;
        let name = arguments.name()?;
        self.writable()?;
        let kind = match mode & kind::MASK {
            0 => kind::FILE,
            kind @ (kind::FILE | kind::FIFO) => kind,
            // Devices would be the host's, and sockets nobody's.
            _ => return Err(NOT_PERMITTED),
        };
        let directory = self.nodes.directory(header.node)?;
        host::make_node(directory, &name, kind | mode & PERMISSIONS)?;
        self.made(header, &name, answer)
    }

    pub(crate) fn make_directory(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let mode = arguments.u32()?;
        arguments.skip(4)?;
        let name = arguments.name()?;
        self.writable()?;
        host::make_directory(self.nodes.directory(header.node)?, &name, mode & PERMISSIONS)?;
        self.made(header, &name, answer)
    }

    pub(crate) fn make_link(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let (name, target) = (arguments.name()?, arguments.string(TARGET_MAX)?);
        self.writable()?;
        host::make_link(&target, self.nodes.directory(header.node)?, &name)?;
        self.made(header, &name, answer)
    }

    /// Something is there that was not: give it to who has made it, and tell of it.
    fn made(&mut self, header: &Header, name: &Name, answer: &mut Answer<'_>) -> Result<()> {
        let fd = host::look_up(self.nodes.directory(header.node)?, name)?;
        self.give(header, &fd)?;
        let status = host::status(&fd)?;
        self.tell(fd, &status, answer)
    }

    /// Give a new file to who has made it, if this process may.
    fn give(&self, header: &Header, fd: &Fd) -> Result<()> {
        if !self.gives {
            return Ok(());
        }
        let (new, directory) =
            (host::status(fd)?, host::status(self.nodes.directory(header.node)?)?);
        // It has the group of such a directory.
        let inherits = directory.mode & SET_GROUP_ID != 0;
        let group = if inherits { new.group } else { header.group };
        if (new.user, new.group) == (header.user, group) {
            return Ok(());
        }
        // Where the host has no such user the file stays root's.
        let given = host::set_owner(fd, header.user, group);
        if given.is_ok() && new.kind() == kind::FILE && new.mode & (SET_USER_ID | SET_GROUP_ID) != 0
        {
            host::set_mode(fd, new.mode & PERMISSIONS)?;
        }
        Ok(())
    }

    pub(crate) fn link(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let (old, name) = (arguments.u64()?, arguments.name()?);
        self.writable()?;
        let node = self.nodes.get(old)?;
        if node.kind == kind::DIRECTORY {
            return Err(NOT_PERMITTED);
        }
        host::link(&node.fd, self.nodes.directory(header.node)?, &name)?;
        let fd = host::open_again(&node.fd, open::PATH)?;
        let status = host::status(&fd)?;
        self.tell(fd, &status, answer)
    }

    pub(crate) fn create(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let (asked, mode) = (arguments.u32()?, arguments.u32()?);
        arguments.skip(4)?;
        let (open_flags, name) = (arguments.u32()?, arguments.name()?);
        self.writable()?;
        self.handles.has_room()?;
        let flags = files::flags(asked);
        let directory = self.nodes.directory(header.node)?;
        let created = open::CREATE | open::EXCLUSIVE;
        let (file, node) =
            match host::open_in(directory, &name, flags | created, mode & PERMISSIONS) {
                Ok(file) => {
                    let node = host::open_again(&file, open::PATH)?;
                    self.give(header, &node)?;
                    (file, node)
                }
                // What is there is opened only if it is a file: others do something when they are.
                Err(EXISTS) if asked & open::EXCLUSIVE == 0 => {
                    let node = host::look_up(directory, &name)?;
                    match host::status(&node)?.kind() {
                        kind::FILE => (files::open_file(&node, flags, open_flags)?, node),
                        kind::DIRECTORY => return Err(IS_DIRECTORY),
                        kind::LINK => return Err(LOOP),
                        _ => return Err(NO_DEVICE),
                    }
                }
                Err(errno) => return Err(errno),
            };
        let status = host::status(&node)?;
        self.tell(node, &status, answer)?;
        let handle = self.handles.add(Handle::File(file));
        files::tell_handle(handle, answer);
        Ok(())
    }

    pub(crate) fn remove(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        is_directory: bool,
    ) -> Result<()> {
        let name = arguments.name()?;
        self.writable()?;
        host::remove(self.nodes.directory(header.node)?, &name, is_directory)
    }

    pub(crate) fn rename(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        has_flags: bool,
    ) -> Result<()> {
        const NO_REPLACE: u32 = 1;
        const EXCHANGE: u32 = 2;
        let to = arguments.u64()?;
        let flags = if has_flags { arguments.u32()? } else { 0 };
        if has_flags {
            arguments.skip(4)?;
        }
        let (old, new) = (arguments.name()?, arguments.name()?);
        self.writable()?;
        if flags & !(NO_REPLACE | EXCHANGE) != 0 {
            return Err(INVALID);
        }
        let (from, to) = (self.nodes.directory(header.node)?, self.nodes.directory(to)?);
        host::rename((from, &old), (to, &new), flags)
    }

    pub(crate) fn read_link(&mut self, header: &Header, answer: &mut Answer<'_>) -> Result<()> {
        let node = self.nodes.get(header.node)?;
        if node.kind != kind::LINK {
            return Err(INVALID);
        }
        answer.bytes.resize(TARGET_MAX.min(answer.room), 0);
        let len = host::read_link(&node.fd, &mut answer.bytes)?;
        answer.bytes.truncate(len);
        Ok(())
    }
}
