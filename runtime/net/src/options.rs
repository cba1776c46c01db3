//! What the user asks for: `--net` and `--publish`, `--migrate-to` and `--incoming`.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Most published ports of a machine.
pub const MAX_PUBLISHED: usize = 32;

/// What the guest is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Net<'a> {
    #[default]
    None,
    /// The host's sockets.
    User,
    /// An interface of the host.
    Tap(&'a str),
    /// A back end of somebody else.
    VhostUser(&'a str),
    /// Another machine.
    Socket(&'a str),
}

impl<'a> Net<'a> {
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Net<'a>> {
        let (kind, value) = match text.split_once('=') {
            Some((kind, value)) => (kind, Some(value).filter(|value| !value.is_empty())),
            None => (text, None),
        };
        match (kind, value, text.contains('=')) {
            ("none", None, false) => Some(Net::None),
            ("user", None, false) => Some(Net::User),
            // The host has no longer names of interfaces.
            ("tap", Some(name), _) if name.len() < 16 => Some(Net::Tap(name)),
            ("vhost-user", Some(path), _) => Some(Net::VhostUser(path)),
            ("socket", Some(path), _) => Some(Net::Socket(path)),
            _ => None,
        }
    }
}

/// Where a machine goes to, or comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address<'a> {
    /// A socket in the file system.
    Path(&'a str),
    /// A port on loopback: what is sent is neither secret nor signed.
    Tcp(SocketAddr),
}

impl<'a> Address<'a> {
    /// From `unix:PATH` or `tcp:ADDR:PORT`.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Address<'a>> {
        match text.split_once(':')? {
            ("unix", path) if !path.is_empty() => Some(Address::Path(path)),
            ("tcp", address) => {
                let address: SocketAddr = address.parse().ok()?;
                let is_right = address.ip().is_loopback() && address.port() != 0;
                is_right.then_some(Address::Tcp(address))
            }
            _ => None,
        }
    }
}

/// A port of the guest that the host's programs can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish {
    pub host: SocketAddr,
    pub guest: u16,
    pub is_udp: bool,
}

impl Publish {
    /// From `[ADDR:]PORT:PORT[/udp]`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Publish> {
        let (ports, is_udp) = match text.split_once('/') {
            None | Some((_, "tcp")) => (text.split('/').next()?, false),
            Some((ports, "udp")) => (ports, true),
            Some(_) => return None,
        };
        let (host, guest) = ports.rsplit_once(':')?;
        let (address, host) = match host.rsplit_once(':') {
            Some((address, port)) => {
                let bare = address.strip_prefix('[').and_then(|address| address.strip_suffix(']'));
                let address: IpAddr = match bare {
                    Some(v6) => IpAddr::V6(v6.parse().ok()?),
                    None => IpAddr::V4(address.parse().ok()?),
                };
                (address, port)
            }
            None => (IpAddr::V4(Ipv4Addr::LOCALHOST), host),
        };
        let port = |text: &str| text.parse().ok().filter(|port: &u16| *port != 0);
        Some(Publish { host: SocketAddr::new(address, port(host)?), guest: port(guest)?, is_udp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn addresses_are_paths_or_ports_on_loopback() {
        assert_eq!(Address::parse("unix:/run/a:b"), Some(Address::Path("/run/a:b")));
        let tcp = |text: &str| Some(Address::Tcp(text.parse().unwrap()));
        assert_eq!(Address::parse("tcp:127.0.0.1:9"), tcp("127.0.0.1:9"));
        assert_eq!(Address::parse("tcp:[::1]:9"), tcp("[::1]:9"));
        for wrong in ["", "unix", "unix:", "tcp:9", "tcp:127.0.0.1:0", "tcp:192.0.2.1:9", "/run/a"]
        {
            assert_eq!(Address::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn networks_are_named() {
        assert_eq!(Net::parse("none"), Some(Net::None));
        assert_eq!(Net::parse("user"), Some(Net::User));
        assert_eq!(Net::parse("tap=tap0"), Some(Net::Tap("tap0")));
        assert_eq!(Net::parse("vhost-user=/run/a=b"), Some(Net::VhostUser("/run/a=b")));
        assert_eq!(Net::parse("socket=x"), Some(Net::Socket("x")));
        for wrong in [
            "",
            "tap",
            "tap=",
            "user=",
            "user=1",
            "none=",
            "socket=",
            "bridge",
            "tap=0123456789abcdef",
        ] {
            assert_eq!(Net::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn ports_are_published_on_loopback_unless_told() {
        let parse = |text| Publish::parse(text).map(|p| (p.host.to_string(), p.guest, p.is_udp));
        let some = |host: &str, guest, is_udp| Some((host.to_string(), guest, is_udp));
        assert_eq!(parse("8080:80"), some("127.0.0.1:8080", 80, false));
        assert_eq!(parse("8080:80/tcp"), some("127.0.0.1:8080", 80, false));
        assert_eq!(parse("5353:53/udp"), some("127.0.0.1:5353", 53, true));
        assert_eq!(parse("0.0.0.0:8080:80"), some("0.0.0.0:8080", 80, false));
        assert_eq!(parse("[::1]:8080:80"), some("[::1]:8080", 80, false));
        for wrong in [
            "",
            "80",
            ":80",
            "80:",
            "0:80",
            "80:0",
            "65536:80",
            "80:65536",
            "80:80/sctp",
            "a:80:80",
            "::1:80:80",
            "80:80/udp/udp",
            "[127.0.0.1]:1:1",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
