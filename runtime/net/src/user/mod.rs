//! `--net user`: what the guest connects to, the device process connects to, with sockets of the host.
//!
//! | file        | what it does                                                         |
//! |-------------|----------------------------------------------------------------------|
//! | `addresses` | who is who in the guest's network, and on the host                   |
//! | `neighbors` | the guest finds the gateway: ARP, neighbor and router discovery      |
//! | `lease`     | the guest gets its address: DHCP                                     |
//! | `link`      | frames around packets; the device that smoltcp sees                  |
//! | `tcp`       | connections: a socket of smoltcp's and one of the host for each      |
//! | `datagrams` | UDP and echo requests                                                |
//! | `table`     | things by the tokens that the host's kernel tells them by            |
//!
//! The guest's TCP ends in smoltcp, on addresses of whoever it wants to reach. All packets are untrusted;
//! all tables have bounds.

mod addresses;
mod datagrams;
pub mod lease;
pub mod link;
mod neighbors;
mod table;
mod tcp;
#[cfg(test)]
mod tests;

use crate::sys::{self, Epoll, Fd};
use crate::{Context, Header, Network};
use addresses::Addresses;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use datagrams::Datagrams;
use link::Link;
use linnet_virtio::net::feature;
use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, Ipv6Packet, TcpPacket, UdpPacket,
};
use tcp::Connections;

/// A port of the host that leads into the guest.
#[derive(Debug)]
pub struct Listener {
    pub fd: Fd,
    pub guest: u16,
    pub is_udp: bool,
    pub is_ipv4: bool,
}

/// A packet of the guest.
#[derive(Debug, Clone, Copy)]
struct Packet<'a> {
    /// All of it.
    bytes: &'a [u8],
    from: IpAddr,
    to: IpAddr,
    protocol: IpProtocol,
    hops: u8,
    payload: &'a [u8],
}

/// The network.
pub struct User {
    addresses: Addresses,
    link: Link,
    connections: Connections,
    datagrams: Datagrams,
}

impl User {
    /// With the host's resolver, if it has one.
    #[must_use]
    pub fn new(resolver: Option<SocketAddr>, listeners: Vec<Listener>) -> User {
        let addresses = Addresses { resolver, guest6: None };
        let (udp, tcp) = listeners.into_iter().partition(|listener: &Listener| listener.is_udp);
        User {
            addresses,
            link: Link::default(),
            connections: Connections::new(tcp),
            datagrams: Datagrams::new(udp),
        }
    }

    /// Connections, and pairs of ends of datagrams.
    #[cfg(test)]
    fn tables(&self) -> usize {
        self.connections.count() + self.datagrams.count()
    }

    fn packet<'a>(protocol: EthernetProtocol, bytes: &'a [u8]) -> Option<Packet<'a>> {
        match protocol {
            EthernetProtocol::Ipv4 => {
                let packet = Ipv4Packet::new_checked(bytes).ok()?;
                // The link takes the longest packets: nobody has to make fragments.
                if packet.version() != 4 || packet.more_frags() || packet.frag_offset() != 0 {
                    return None;
                }
                let len = usize::from(packet.total_len());
                Some(Packet {
                    bytes: &bytes[..len],
                    from: IpAddr::V4(packet.src_addr()),
                    to: IpAddr::V4(packet.dst_addr()),
                    protocol: packet.next_header(),
                    hops: packet.hop_limit(),
                    payload: bytes.get(packet.header_len().into()..len)?,
                })
            }
            EthernetProtocol::Ipv6 => {
                let packet = Ipv6Packet::new_checked(bytes).ok()?;
                let header = packet.header_len();
                let len = header + usize::from(packet.payload_len());
                Some(Packet {
                    bytes: bytes.get(..len).filter(|_| packet.version() == 6)?,
                    from: IpAddr::V6(packet.src_addr()),
                    to: IpAddr::V6(packet.dst_addr()),
                    protocol: packet.next_header(),
                    hops: packet.hop_limit(),
                    payload: bytes.get(header..len)?,
                })
            }
            _ => None,
        }
    }

    fn ip(&mut self, context: &mut Context<'_>, packet: &Packet<'_>) {
        let User { addresses, link, connections, datagrams } = self;
        match packet.protocol {
            IpProtocol::Udp => {
                let Ok(udp) = UdpPacket::new_checked(packet.payload) else { return };
                if udp.dst_port() == lease::SERVER_PORT && packet.to.is_ipv4() {
                    lease::answer(context.guest, link, &addresses::LEASE, udp.payload());
                    // The guest has just begun.
                    neighbors::advertise(context, link);
                } else if udp.dst_port() != 0 && udp.src_port() != 0 {
                    datagrams.udp(context, link, addresses, packet, &udp);
                }
            }
            IpProtocol::Tcp => {
                let Ok(tcp) = TcpPacket::new_checked(packet.payload) else { return };
                if tcp.dst_port() != 0 && tcp.src_port() != 0 {
                    connections.packet(context, link, addresses, packet, &tcp);
                }
            }
            IpProtocol::Icmp if packet.to.is_ipv4() => {
                datagrams.echo(context, link, addresses, packet);
            }
            IpProtocol::Icmpv6
                if packet.to.is_ipv6()
                    && !neighbors::discovery(context, link, addresses, packet) =>
            {
                datagrams.echo(context, link, addresses, packet);
            }
            _ => {}
        }
    }
}

impl Network for User {
    fn features(&self) -> u64 {
        feature::CHECKSUM
            | feature::GUEST_CHECKSUM
            | feature::MERGEABLE_BUFFERS
            | feature::MTU
            | feature::MAC
            | feature::STATUS
    }

    fn begin(&mut self, epoll: &Epoll) -> sys::Result<()> {
        self.connections.begin(epoll)?;
        self.datagrams.begin(epoll)
    }

    fn reset(&mut self, context: &mut Context<'_>) {
        self.link = Link::new(context.guest.features());
        self.addresses.guest6 = None;
        self.connections.reset(&self.link);
        self.datagrams.reset();
    }

    fn frame(&mut self, context: &mut Context<'_>, _: &Header, bytes: &[u8]) {
        let Ok(frame) = EthernetFrame::new_checked(bytes) else { return };
        if !frame.src_addr().is_unicast() {
            return;
        }
        self.link.guest = Some(frame.src_addr());
        if frame.ethertype() == EthernetProtocol::Arp {
            return neighbors::arp(context, &mut self.link, frame.payload());
        }
        if let Some(packet) = User::packet(frame.ethertype(), frame.payload()) {
            self.ip(context, &packet);
        }
    }

    fn event(&mut self, context: &mut Context<'_>, token: u64, events: u32) {
        if Connections::owns(token) {
            self.connections.event(context, &mut self.link, token, events);
        } else {
            self.datagrams.event(context, &mut self.link, &self.addresses, token);
        }
    }

    fn flush(&mut self, context: &mut Context<'_>) {
        self.connections.flush(context, &mut self.link, &self.addresses);
        self.datagrams.expire(context.now);
    }

    fn deadline(&self) -> Option<u64> {
        let both = [self.connections.deadline(), self.datagrams.deadline()];
        both.into_iter().flatten().min()
    }
}
