//! Shared folders: their processes begin before anything else does, and are awaited last.

use super::cpio::Archive;
use super::options::Options;
use super::restart::Kept;
use crate::device::virtio::front_end::Descriptors;
use crate::device::virtio::shares;
use crate::host::exit::{self, fatal};
use core::fmt::Write;
use linnet_device::process;
use linnet_device::sys::{self, Errno, Fd};
use linnet_share::options::{MAX_SHARES, Share};
use linnet_share::setup;

/// Back ends that may not be ready yet.
pub enum Begun {
    New([Option<Fd>; MAX_SHARES]),
    /// Those from before a restart.
    Kept([Option<Descriptors>; MAX_SHARES]),
}

/// Begin the processes; the calling one has one thread.
pub fn begin(options: &Options<'_>, kept: Option<&Kept>) -> Begun {
    match kept {
        Some(kept) => Begun::Kept(kept.shares()),
        None => Begun::New(options.shares.each_ref().map(|share| share.as_ref().map(begin_one))),
    }
}

fn begin_one(share: &Share<'_>) -> Fd {
    match setup::begin(share) {
        Ok(fd) => fd,
        Err(Errno(errno)) => {
            fatal!(exit::HOST, "the host refuses a process for a folder (errno {errno})")
        }
    }
}

/// Give the machine its folders: the sockets to the back ends.
pub fn attach(begun: Begun, options: &Options<'static>) -> [Option<i32>; MAX_SHARES] {
    let mut sockets = [None; MAX_SHARES];
    let is_restart = matches!(begun, Begun::Kept(_));
    let descriptors = match begun {
        Begun::Kept(descriptors) => descriptors,
        Begun::New(begun) => begun.map(|fd| fd.map(descriptors)),
    };
    let all = descriptors.into_iter().zip(&options.shares).zip(&mut sockets);
    for ((descriptors, share), socket) in all {
        if let (Some(descriptors), Some(share)) = (descriptors, share) {
            *socket = Some(descriptors.socket);
            shares::attach(descriptors, share.host, is_restart);
        }
    }
    sockets
}

fn descriptors(fd: Fd) -> Descriptors {
    if !process::is_ready(&fd) {
        // It has said why.
        sys::exit(exit::HOST);
    }
    match Descriptors::new(fd) {
        Ok(descriptors) => descriptors,
        Err(Errno(errno)) => {
            fatal!(exit::HOST, "the host has no descriptor for a folder (errno {errno})")
        }
    }
}

/// Tell init what to mount where: how many bytes.
pub fn write(archive: &mut Archive<'_>, options: &Options<'_>) -> usize {
    let start = archive.len;
    for Share { guest, read_only, .. } in options.shares.iter().flatten() {
        let mode = if *read_only { "ro" } else { "rw" };
        let _ = write!(archive, "{guest}\0{mode}\0");
    }
    archive.len - start
}
