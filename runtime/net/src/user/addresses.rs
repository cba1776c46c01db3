//! Who is who in the guest's network, and on the host.

use super::lease::Lease;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

pub const NETWORK: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 0);
pub const MASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);
pub const PREFIX_LEN: u8 = 24;
/// The gateway. Its ports are those of the host's loopback.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
/// The host's resolver.
pub const RESOLVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);
pub const GUEST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);

/// What the guest gets.
pub const LEASE: Lease = Lease { address: GUEST, router: Some(GATEWAY), resolver: Some(RESOLVER) };

/// The same in IPv6.
pub const NETWORK6: Ipv6Addr = Ipv6Addr::new(0xfd4c, 0x696e, 0x6e65, 0x7400, 0, 0, 0, 0);
pub const PREFIX_LEN6: u8 = 64;
pub const GATEWAY6: Ipv6Addr = Ipv6Addr::new(0xfd4c, 0x696e, 0x6e65, 0x7400, 0, 0, 0, 2);
pub const RESOLVER6: Ipv6Addr = Ipv6Addr::new(0xfd4c, 0x696e, 0x6e65, 0x7400, 0, 0, 0, 3);
/// The router as its neighbors know it.
pub const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);

const DNS_PORT: u16 = 53;

/// What is known of addresses.
#[derive(Debug)]
pub struct Addresses {
    pub resolver: Option<SocketAddr>,
    /// The guest's own, once it has used one.
    pub guest6: Option<Ipv6Addr>,
}

fn is_in_network6(address: Ipv6Addr) -> bool {
    address.segments()[..4] == NETWORK6.segments()[..4]
}

fn is_in_network(address: Ipv4Addr) -> bool {
    address.to_bits() & MASK.to_bits() == NETWORK.to_bits()
}

/// Do we answer for it in the guest's network?
pub fn is_ours(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4 == GATEWAY || v4 == RESOLVER,
        IpAddr::V6(v6) => v6 == GATEWAY6 || v6 == RESOLVER6 || v6 == ROUTER,
    }
}

/// The gateway's address of the same kind.
pub fn gateway(is_ipv4: bool) -> IpAddr {
    if is_ipv4 { IpAddr::V4(GATEWAY) } else { IpAddr::V6(GATEWAY6) }
}

impl Addresses {
    /// May the guest send from that address?
    pub fn is_guest(address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => is_in_network(v4) && !is_ours(address) && v4 != NETWORK,
            IpAddr::V6(v6) => is_in_network6(v6) && !is_ours(address),
        }
    }

    /// Learn the guest's address from what it sends.
    pub fn learn(&mut self, from: IpAddr) {
        if let IpAddr::V6(v6) = from {
            self.guest6 = Some(v6);
        }
    }

    /// Where on the host's side somebody is whom the guest wants to reach; `None` if nobody is there.
    pub fn on_host(&self, to: SocketAddr) -> Option<SocketAddr> {
        let port = to.port();
        match to.ip() {
            IpAddr::V4(GATEWAY) => Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
            IpAddr::V6(GATEWAY6) => Some(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port)),
            IpAddr::V4(RESOLVER) | IpAddr::V6(RESOLVER6) => {
                self.resolver.filter(|_| port == DNS_PORT)
            }
            IpAddr::V4(v4) => {
                let is_elsewhere = !(is_in_network(v4)
                    || v4.octets()[0] == 0
                    || v4.octets()[0] == 127
                    || v4.octets()[0] >= 224);
                is_elsewhere.then_some(to)
            }
            IpAddr::V6(v6) => {
                // Those that stand for IPv4 addresses would lead to the host's loopback as well.
                let is_elsewhere = !(is_in_network6(v6)
                    || v6.is_multicast()
                    || v6.is_loopback()
                    || v6.is_unspecified()
                    || v6.is_unicast_link_local()
                    || v6.to_ipv4_mapped().is_some());
                is_elsewhere.then_some(to)
            }
        }
    }

    /// The guest's address of a kind.
    pub fn guest(&self, is_ipv4: bool) -> IpAddr {
        match self.guest6 {
            Some(v6) if !is_ipv4 => IpAddr::V6(v6),
            _ => IpAddr::V4(GUEST),
        }
    }
}
