//! The network device: what it is connected to begins before anything else does, and is awaited last.

use super::options::Options;
use super::restart::Kept;
use crate::device::virtio::front_end::Descriptors;
use crate::device::virtio::net::{self, Mac};
use crate::host::exit::{self, fatal};
use crate::host::sys;
use linnet_device::process;
use linnet_device::sys::{Errno, Fd};
use linnet_net::options::{Net, Publish};
use linnet_net::setup;

/// A back end that may not be ready yet.
pub enum Begun {
    /// A process of ours.
    Ours(Fd),
    /// That of somebody else.
    Theirs(Fd),
    /// One from before a restart.
    Kept(Descriptors, Mac),
    None,
}

/// Begin a process, if there is to be one; the calling process has one thread.
pub fn begin(options: &Options<'_>, kept: Option<&Kept>) -> Begun {
    if let Some((descriptors, mac)) = kept.and_then(Kept::network) {
        return Begun::Kept(descriptors, mac);
    }
    let mut ports = [None::<Publish>; linnet_net::options::MAX_PUBLISHED];
    ports.copy_from_slice(&options.published);
    let count = ports.iter().flatten().count();
    let first = ports[0];
    let ports = ports.map(|port| port.or(first));
    match (options.net, kept) {
        // What could not be kept cannot be opened again.
        (Net::None, _) | (_, Some(_)) => Begun::None,
        (Net::VhostUser(path), _) => match setup::connect(path) {
            Ok(fd) => Begun::Theirs(fd),
            Err(errno) => fatal!(exit::HOST, "socket {path}: {}", reason(errno)),
        },
        (net, _) => {
            let published = match first {
                Some(_) => &ports.map(|port| port.expect("filled with the first"))[..count],
                None => &[],
            };
            match setup::begin(net, published) {
                Ok(fd) => Begun::Ours(fd),
                Err(Errno(errno)) => {
                    fatal!(exit::HOST, "the host refuses a process for the network (errno {errno})")
                }
            }
        }
    }
}

fn reason(errno: Errno) -> &'static str {
    match errno {
        Errno::NOENT => {
            "No such file or directory\nhint: start the program that listens there first"
        }
        Errno::CONNREFUSED => {
            "nobody listens there\nhint: start the program that listens there first"
        }
        Errno::NAMETOOLONG => "the name is too long",
        Errno(13) => "Permission denied",
        _ => "the host refuses to connect to it",
    }
}

/// Give the machine its network device: the socket to the back end.
pub fn attach(begun: Begun) -> Option<i32> {
    let socket = match begun {
        Begun::None => return None,
        Begun::Kept(descriptors, mac) => {
            net::attach(descriptors, mac, true);
            return Some(descriptors.socket);
        }
        Begun::Ours(fd) if !process::is_ready(&fd) => {
            // It has said why.
            sys::exit(exit::HOST)
        }
        Begun::Ours(fd) | Begun::Theirs(fd) => fd,
    };
    let descriptors = match Descriptors::new(socket) {
        Ok(descriptors) => descriptors,
        Err(Errno(errno)) => {
            fatal!(exit::HOST, "the host has no descriptor for the network (errno {errno})")
        }
    };
    // An address that is nobody's; on a wire each machine needs another one.
    let mut mac: Mac = [0x52, 0x54, 0, 0, 0, 0];
    sys::getrandom(&mut mac[3..]);
    net::attach(descriptors, mac, false);
    Some(descriptors.socket)
}
