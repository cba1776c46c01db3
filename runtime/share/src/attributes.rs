//! Requests about modes, owners, times, sizes and extended attributes.

use crate::folder::{Folder, offset};
use crate::fuse::{GETATTR_HANDLE, set};
use crate::host::{self, Time, kind, open};
use crate::request::{Answer, Arguments, Header, INVALID};
use alloc::ffi::CString;
use alloc::vec;
use linnet_device::sys::{Errno, Result};

const NOT_SUPPORTED: Errno = Errno(95);
const OUT_OF_RANGE: Errno = Errno(34);
const IS_DIRECTORY: Errno = Errno(21);

/// Longest value of an extended attribute, and longest list of names.
const ATTRIBUTE_MAX: u32 = 64 << 10;
const ATTRIBUTE_NAME_MAX: usize = 255;
/// Which of them the guest has: the others mean something to the host's kernel.
const ATTRIBUTES_OF: &[u8] = b"user.";

impl Folder {
    pub(crate) fn status(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let flags = arguments.u32()?;
        arguments.skip(4)?;
        let handle = arguments.u64()?;
        let handle = (flags & GETATTR_HANDLE != 0).then_some(handle);
        let status = host::status(self.descriptor(header, handle)?)?;
        self.tell_status(&status, answer);
        Ok(())
    }

    pub(crate) fn set_status(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let valid = arguments.u32()?;
        arguments.skip(4)?;
        let (handle, size) = (arguments.u64()?, arguments.u64()?);
        arguments.skip(8)?;
        let seconds = [arguments.u64()?, arguments.u64()?];
        arguments.skip(8)?;
        let nanoseconds = [arguments.u32()?, arguments.u32()?];
        arguments.skip(4)?;
        let mode = arguments.u32()?;
        arguments.skip(4)?;
        let (user, group) = (arguments.u32()?, arguments.u32()?);
        self.writable()?;
        let has = |bit: u32| valid & bit != 0;
        let node = self.nodes.get(header.node)?;
        if has(set::MODE) {
            host::set_mode(&node.fd, mode & 0o7777)?;
        }
        if has(set::USER | set::GROUP) {
            let user = if has(set::USER) { user } else { u32::MAX };
            let group = if has(set::GROUP) { group } else { u32::MAX };
            host::set_owner(&node.fd, user, group)?;
        }
        if has(set::SIZE) {
            let size = offset(size)?;
            match node.kind {
                kind::FILE => {}
                kind::DIRECTORY => return Err(IS_DIRECTORY),
                _ => return Err(INVALID),
            }
            if has(set::HANDLE) {
                host::set_size(self.handles.file(handle)?, size)?;
            } else {
                let file = host::open_again(&node.fd, open::WRITE_ONLY | open::NONBLOCK)?;
                host::set_size(&file, size)?;
            }
            if has(set::KILL_PRIVILEGES) {
                host::kill_privileges(&node.fd)?;
            }
        }
        if has(set::ACCESS_TIME | set::CHANGE_TIME) {
            let time = |n: usize, is_set, is_now| match (has(is_set), has(is_now)) {
                (false, _) => Ok(Time::OMIT),
                (true, true) => Ok(Time::NOW),
                (true, false) if nanoseconds[n] < 1_000_000_000 => {
                    Ok(Time { seconds: seconds[n] as i64, nanoseconds: nanoseconds[n] })
                }
                (true, false) => Err(INVALID),
            };
            let accessed = time(0, set::ACCESS_TIME, set::ACCESS_TIME_NOW)?;
            let modified = time(1, set::CHANGE_TIME, set::CHANGE_TIME_NOW)?;
            host::set_times(&node.fd, [accessed, modified])?;
        }
        let status = host::status(&node.fd)?;
        self.tell_status(&status, answer);
        Ok(())
    }

    /// `struct fuse_kstatfs`
    pub(crate) fn file_system(&mut self, header: &Header, answer: &mut Answer<'_>) -> Result<()> {
        const SIZE: usize = 80;
        let words = host::file_system(&self.nodes.get(header.node)?.fd)?;
        let [_, block, blocks, free, available, files, free_files, _, name, fragment] = words;
        for word in [blocks, free, available, files, free_files] {
            answer.u64(word);
        }
        for word in [block, name, fragment] {
            answer.u32(word as u32);
        }
        answer.bytes.resize(SIZE, 0);
        Ok(())
    }

    pub(crate) fn set_attribute(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
    ) -> Result<()> {
        let (size, flags) = (arguments.u32()?, arguments.u32()?);
        let name = attribute_name(arguments)?;
        let value = arguments.bytes(size as usize)?;
        self.writable()?;
        host::set_attribute(&self.nodes.get(header.node)?.fd, &name, value, flags)
    }

    pub(crate) fn attribute(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let size = arguments.u32()?;
        arguments.skip(4)?;
        let name = attribute_name(arguments)?;
        let node = self.nodes.get(header.node)?;
        answer.bytes.resize(size.min(ATTRIBUTE_MAX) as usize, 0);
        let len = host::attribute(&node.fd, &name, &mut answer.bytes)?;
        if size == 0 {
            answer.u32(len as u32);
            answer.u32(0);
        } else {
            answer.bytes.truncate(len);
        }
        Ok(())
    }

    pub(crate) fn attributes(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
        answer: &mut Answer<'_>,
    ) -> Result<()> {
        let size = arguments.u32()?;
        let node = self.nodes.get(header.node)?;
        let mut names = vec![0; ATTRIBUTE_MAX as usize];
        let len = host::attributes(&node.fd, &mut names)?;
        for name in names[..len].split_inclusive(|byte| *byte == 0) {
            if name.starts_with(ATTRIBUTES_OF) {
                answer.bytes.extend_from_slice(name);
            }
        }
        let len = answer.bytes.len() as u32;
        if size == 0 {
            answer.bytes.clear();
            answer.u32(len);
            answer.u32(0);
        } else if len > size {
            return Err(OUT_OF_RANGE);
        }
        Ok(())
    }

    pub(crate) fn remove_attribute(
        &mut self,
        header: &Header,
        arguments: &mut Arguments<'_>,
    ) -> Result<()> {
        let name = attribute_name(arguments)?;
        self.writable()?;
        host::remove_attribute(&self.nodes.get(header.node)?.fd, &name)
    }
}

/// The name of an attribute that the guest may have.
fn attribute_name(arguments: &mut Arguments<'_>) -> Result<CString> {
    let name = arguments.string(ATTRIBUTE_NAME_MAX)?;
    if name.to_bytes().starts_with(ATTRIBUTES_OF) { Ok(name) } else { Err(NOT_SUPPORTED) }
}
