//! What is opened before the device process gives up its rights, and how it begins.

use crate::Network;
use crate::options::{Net, Publish};
use crate::sandbox;
use crate::serve::serve;
use crate::sys::{self, Errno, Fd};
use crate::tap::Tap;
use crate::user::{Listener, User};
use crate::wire::Wire;
use alloc::boxed::Box;
use alloc::ffi::CString;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::net::{IpAddr, SocketAddr};
use linnet_device::process::{self, reason};

/// How long a port may still belong to a machine that has just ended.
const PORT_TRIES: u32 = 30;
const PORT_WAIT_MS: u32 = 10;

/// Begin a device process; the end of the stream on which it speaks vhost-user. If it cannot do what is
/// asked for, it says so on standard error and ends: see [`process::is_ready`].
///
/// # Errors
/// What the host refuses.
pub fn begin(net: Net<'_>, published: &[Publish]) -> sys::Result<Fd> {
    process::begin(c"linnet-net", |socket| run(socket, net, published))
}

/// Connect to a back end of somebody else.
///
/// # Errors
/// What the host says.
pub fn connect(path: &str) -> sys::Result<Fd> {
    let mut buffer = [0; 128];
    let text = path.as_bytes();
    buffer.get_mut(..text.len()).ok_or(Errno::NAMETOOLONG)?.copy_from_slice(text);
    let path = CStr::from_bytes_until_nul(&buffer).map_err(|_| Errno::NAMETOOLONG)?;
    let fd = sys::connected_to_path(path)?;
    sys::make_plain(&fd)?;
    Ok(fd)
}

/// The device process.
fn run(socket: &Fd, net: Net<'_>, published: &[Publish]) {
    sys::raise_descriptor_limit();
    let mut network = open(net, published).unwrap_or_else(|text| process::fail(&text));
    sandbox::enter();
    process::tell_ready(socket);
    let _ = serve(socket, &mut *network);
}

/// Open what a network needs; or a message.
fn open(net: Net<'_>, published: &[Publish]) -> Result<Box<dyn Network>, String> {
    match net {
        Net::Tap(name) => match Tap::open(name) {
            Ok(tap) => Ok(Box::new(tap)),
            Err(errno) => Err(format!("interface {name}: {}", tap_error(name, errno))),
        },
        Net::Socket(path) => {
            let text =
                CString::new(path).map_err(|_| format!("socket {path}: no name of a file"))?;
            match Wire::open(&text) {
                Ok(wire) => Ok(Box::new(wire)),
                Err(errno) => Err(format!("socket {path}: {}", reason(errno))),
            }
        }
        Net::User | Net::None | Net::VhostUser(_) => {
            let listeners: Result<Vec<Listener>, String> = published.iter().map(listen).collect();
            Ok(Box::new(User::new(resolver(), listeners?)))
        }
    }
}

fn tap_error(name: &str, errno: Errno) -> String {
    let hint = match errno {
        Errno(1 | 13) => format!(
            "\nhint: let root make it for you: ip tuntap add {name} mode tap user $(id -un)"
        ),
        Errno::NOENT => {
            "\nhint: this host has no /dev/net/tun; `--net user` needs nothing of it".into()
        }
        _ => String::new(),
    };
    reason(errno) + &hint
}

fn listen(published: &Publish) -> Result<Listener, String> {
    let Publish { host, guest, is_udp } = *published;
    let kind = if is_udp { sys::Kind::Datagram } else { sys::Kind::Stream };
    let mut tries = 0;
    loop {
        match sys::bound(kind, host) {
            Ok(fd) => return Ok(Listener { fd, guest, is_udp, is_ipv4: host.is_ipv4() }),
            Err(Errno::ADDRINUSE) if tries < PORT_TRIES => {
                tries += 1;
                sys::sleep_ms(PORT_WAIT_MS);
            }
            Err(errno) => {
                let hint = match errno {
                    Errno::ADDRINUSE => "\nhint: publish another port of the host",
                    Errno(13) => "\nhint: ports below 1024 need rights; publish one above",
                    _ => "",
                };
                let protocol = if is_udp { "/udp" } else { "" };
                return Err(format!("port {host}{protocol}: {}{hint}", reason(errno)));
            }
        }
    }
}

/// The host's resolver.
fn resolver() -> Option<SocketAddr> {
    const DNS_PORT: u16 = 53;
    let mut buffer = [0; 8192];
    let text = sys::read_file(c"/etc/resolv.conf", &mut buffer).ok()?;
    let text = core::str::from_utf8(text).ok()?;
    parse_resolver(text).map(|address| SocketAddr::new(address, DNS_PORT))
}

/// The first server that `resolv.conf` names.
fn parse_resolver(text: &str) -> Option<IpAddr> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn the_first_server_is_asked() {
        let text =
            "# nameserver 1.2.3.4\nsearch a b\nnameserver\tfe80::1%eth0\nnameserver 127.0.0.53\n";
        assert_eq!(parse_resolver(text), Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53))));
        assert_eq!(parse_resolver("nameserver"), None);
        assert_eq!(parse_resolver(""), None);
    }
}
