//! UDP and echo requests: each pair of ends has a socket of the host, for as long as it is used.

use super::addresses::{self, Addresses, is_ours};
use super::link::Link;
use super::table::{Kind, Table, index};
use super::{Listener, Packet};
use crate::Context;
use crate::sys::{self, Epoll, Errno, Fd};
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use hashbrown::HashMap;
use smoltcp::wire::{
    Icmpv4DstUnreachable, Icmpv4Message, Icmpv4Packet, Icmpv4Repr, Icmpv6DstUnreachable,
    Icmpv6Message, Icmpv6Packet, Icmpv6Repr, IpProtocol, IpRepr, Ipv4Repr, Ipv6Repr, UdpPacket,
    UdpRepr,
};

/// Most pairs of ends at once. Whoever was silent for longest makes room for another.
const MAX_EXCHANGES: usize = 1024;
/// Most programs of the host that talk to published ports at once.
const MAX_PEERS: usize = 1024;

/// How long a pair is kept that says nothing, in nanoseconds.
const SILENCE: u64 = 120_000_000_000;

/// The longest datagram.
const DATAGRAM_MAX: usize = 65_535;

/// So many datagrams are taken from a socket at once.
const BATCH: usize = 64;

const HOP_LIMIT: u8 = 64;

/// The guest's end and the other. Echo requests have an identifier for the guest's port, and 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    is_echo: bool,
    guest: SocketAddr,
    other: SocketAddr,
}

#[derive(Debug)]
struct Exchange {
    key: Key,
    fd: Fd,
    last: u64,
}

/// Somebody of the host who talks to a published port: the guest sees a port of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Peer {
    listener: usize,
    address: SocketAddr,
}

/// All of them.
pub struct Datagrams {
    table: Table<Exchange>,
    keys: HashMap<Key, u64>,
    listeners: Vec<Listener>,
    peers: HashMap<Peer, u16>,
    ports: HashMap<u16, Peer>,
    next_port: u16,
    check: Option<u64>,
    buffer: Vec<u8>,
}

impl Datagrams {
    pub fn new(listeners: Vec<Listener>) -> Datagrams {
        Datagrams {
            table: Table::new(Kind::Exchange),
            keys: HashMap::new(),
            listeners,
            peers: HashMap::new(),
            ports: HashMap::new(),
            next_port: 32_768,
            check: None,
            buffer: vec![0; DATAGRAM_MAX],
        }
    }

    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.table.len()
    }

    pub fn begin(&mut self, epoll: &Epoll) -> sys::Result<()> {
        for (n, listener) in self.listeners.iter().enumerate() {
            epoll.add(listener.fd.number(), sys::IN, Kind::DatagramListener.token(n))?;
        }
        Ok(())
    }

    pub fn reset(&mut self) {
        self.table.clear();
        self.keys.clear();
        self.peers.clear();
        self.ports.clear();
        self.check = None;
    }

    pub fn deadline(&self) -> Option<u64> {
        self.check
    }

    /// Close what nobody uses.
    pub fn expire(&mut self, now: u64) {
        if self.check.is_none_or(|check| now < check) {
            return;
        }
        let is_old = |exchange: &Exchange| now.saturating_sub(exchange.last) >= SILENCE;
        let old: Vec<u64> =
            self.table.iter().filter(|(_, it)| is_old(it)).map(|(token, _)| token).collect();
        old.into_iter().for_each(|token| self.remove(token));
        let last = self.table.iter().map(|(_, exchange)| exchange.last).min();
        self.check = last.map(|last| last + SILENCE);
    }

    fn remove(&mut self, token: u64) {
        if let Some(exchange) = self.table.remove(token) {
            self.keys.remove(&exchange.key);
        }
    }

    /// A datagram of the guest.
    pub fn udp(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link,
        addresses: &mut Addresses,
        packet: &Packet<'_>,
        udp: &UdpPacket<&[u8]>,
    ) {
        if !Addresses::is_guest(packet.from) {
            return;
        }
        addresses.learn(packet.from);
        let other = SocketAddr::new(packet.to, udp.dst_port());
        if is_ours(packet.to)
            && let Some(peer) = self.ports.get(&udp.dst_port())
            && self.listeners[peer.listener].guest == udp.src_port()
        {
            let _ = sys::send_to(&self.listeners[peer.listener].fd, udp.payload(), peer.address);
            return;
        }
        let guest = SocketAddr::new(packet.from, udp.src_port());
        let key = Key { is_echo: false, guest, other };
        match self.exchange(context, addresses, key, sys::Kind::Datagram) {
            Ok(Some(token)) => self.send(context, link, token, udp.payload()),
            // Only one of them all hears of it: that is as it is with broadcasts.
            Ok(None) => {}
            Err(_) => unreachable(context, link, key, false),
        }
    }

    /// An echo request of the guest.
    pub fn echo(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link,
        addresses: &mut Addresses,
        packet: &Packet<'_>,
    ) {
        /// Type, code, checksum, identifier, sequence number.
        const HEADER: usize = 8;
        let request = if packet.to.is_ipv4() {
            u8::from(Icmpv4Message::EchoRequest)
        } else {
            u8::from(Icmpv6Message::EchoRequest)
        };
        let payload = packet.payload;
        if !Addresses::is_guest(packet.from)
            || payload.len() < HEADER
            || payload[..2] != [request, 0]
        {
            return;
        }
        addresses.learn(packet.from);
        let ident = u16::from_be_bytes([payload[4], payload[5]]);
        let key = Key {
            is_echo: true,
            guest: SocketAddr::new(packet.from, ident),
            other: SocketAddr::new(packet.to, 0),
        };
        if is_ours(packet.to) {
            return answer_echo(context, link, key, &payload[4..]);
        }
        match self.exchange(context, addresses, key, sys::Kind::Ping) {
            Ok(Some(token)) => self.send(context, link, token, payload),
            Ok(None) => {}
            // Such as a host that lets this user send none.
            Err(_) => unreachable(context, link, key, true),
        }
    }

    /// The socket for a pair of ends; none if there is nobody at the other.
    fn exchange(
        &mut self,
        context: &Context<'_>,
        addresses: &Addresses,
        key: Key,
        kind: sys::Kind,
    ) -> sys::Result<Option<u64>> {
        if let Some(token) = self.keys.get(&key) {
            return Ok(Some(*token));
        }
        let Some(to) = addresses.on_host(key.other) else { return Ok(None) };
        if self.table.len() >= MAX_EXCHANGES {
            let oldest = self.table.iter().min_by_key(|(_, exchange)| exchange.last);
            if let Some((token, _)) = oldest {
                self.remove(token);
            }
        }
        let fd = sys::connected(kind, to)?;
        context.epoll.add(fd.number(), sys::IN, self.table.next_token())?;
        let token = self.table.insert(Exchange { key, fd, last: context.now });
        self.keys.insert(key, token);
        self.check.get_or_insert(context.now + SILENCE);
        Ok(Some(token))
    }

    fn send(&mut self, context: &mut Context<'_>, link: &mut Link, token: u64, payload: &[u8]) {
        let Some(exchange) = self.table.get_mut(token) else { return };
        exchange.last = context.now;
        // The first error is that of an earlier datagram.
        let sent = sys::send(&exchange.fd, payload).or_else(|_| sys::send(&exchange.fd, payload));
        if sent == Err(Errno::CONNREFUSED) {
            unreachable(context, link, exchange.key, false);
        }
    }

    /// Something came from the host's side.
    pub fn event(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link,
        addresses: &Addresses,
        token: u64,
    ) {
        if Kind::of(token) == Some(Kind::DatagramListener) {
            return self.enter(context, link, addresses, index(token));
        }
        let mut buffer = core::mem::take(&mut self.buffer);
        if let Some(exchange) = self.table.get_mut(token) {
            exchange.last = context.now;
            let key = exchange.key;
            for _ in 0..BATCH {
                match sys::receive(&exchange.fd, &mut buffer) {
                    Ok(n) if key.is_echo => {
                        if n >= 8 {
                            answer_echo(context, link, key, &buffer[4..n]);
                        }
                    }
                    Ok(n) => send_udp(context, link, key.other, key.guest, &buffer[..n]),
                    Err(Errno::INTR) => {}
                    Err(Errno::CONNREFUSED) => unreachable(context, link, key, false),
                    Err(_) => break,
                }
            }
        }
        self.buffer = buffer;
    }

    /// Datagrams for a published port.
    fn enter(
        &mut self,
        context: &mut Context<'_>,
        link: &mut Link,
        addresses: &Addresses,
        n: usize,
    ) {
        let mut buffer = core::mem::take(&mut self.buffer);
        for _ in 0..BATCH {
            let Some(listener) = self.listeners.get(n) else { break };
            match sys::receive_from(&listener.fd, &mut buffer) {
                Ok((len, Some(address))) => {
                    let to = SocketAddr::new(addresses.guest(listener.is_ipv4), listener.guest);
                    let port = self.port(Peer { listener: n, address });
                    let from = SocketAddr::new(addresses::gateway(to.is_ipv4()), port);
                    send_udp(context, link, from, to, &buffer[..len]);
                }
                Ok((_, None)) => {}
                Err(_) => break,
            }
        }
        self.buffer = buffer;
    }

    /// The port of the gateway that stands for somebody: his own if it is free.
    fn port(&mut self, peer: Peer) -> u16 {
        if let Some(port) = self.peers.get(&peer) {
            return *port;
        }
        if self.peers.len() >= MAX_PEERS {
            // Who still talks gets another port, and the guest another partner.
            self.peers.clear();
            self.ports.clear();
        }
        let mut port = peer.address.port();
        while port == 0 || self.ports.contains_key(&port) {
            self.next_port = if self.next_port >= 60_999 { 32_768 } else { self.next_port + 1 };
            port = self.next_port;
        }
        self.peers.insert(peer, port);
        self.ports.insert(port, peer);
        port
    }
}

/// Send a packet that `fill` writes behind its header.
fn send_ip(
    context: &mut Context<'_>,
    link: &mut Link,
    (from, to): (IpAddr, IpAddr),
    protocol: IpProtocol,
    len: usize,
    fill: impl FnOnce(&mut [u8]),
) {
    let ip = IpRepr::new(from.into(), to.into(), protocol, len, HOP_LIMIT);
    let header = ip.header_len();
    if header + len > linnet_virtio::net::MTU_MAX.into() {
        return;
    }
    let checksums = link.checksums();
    link.send_packet(context.guest, to.is_ipv4(), header + len, |bytes| {
        ip.emit(&mut bytes[..], &checksums);
        fill(&mut bytes[header..]);
    });
}

fn send_udp(
    context: &mut Context<'_>,
    link: &mut Link,
    from: SocketAddr,
    to: SocketAddr,
    payload: &[u8],
) {
    let udp = UdpRepr { src_port: from.port(), dst_port: to.port() };
    let len = udp.header_len() + payload.len();
    if len > DATAGRAM_MAX {
        return;
    }
    let checksums = link.checksums();
    send_ip(context, link, (from.ip(), to.ip()), IpProtocol::Udp, len, |bytes| {
        udp.emit(
            &mut UdpPacket::new_unchecked(bytes),
            &from.ip().into(),
            &to.ip().into(),
            payload.len(),
            |to| to.copy_from_slice(payload),
            &checksums,
        );
    });
}

/// Answer an echo request, whose bytes from the identifier on are `rest`; the identifier is the guest's.
fn answer_echo(context: &mut Context<'_>, link: &mut Link, key: Key, rest: &[u8]) {
    let (ident, seq_no) = (key.guest.port(), u16::from_be_bytes([rest[2], rest[3]]));
    let data = &rest[4..];
    let checksums = link.checksums();
    let ends = (key.other.ip(), key.guest.ip());
    match ends {
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let icmp = Icmpv6Repr::EchoReply { ident, seq_no, data };
            send_ip(context, link, ends, IpProtocol::Icmpv6, icmp.buffer_len(), |bytes| {
                icmp.emit(&from, &to, &mut Icmpv6Packet::new_unchecked(bytes), &checksums);
            });
        }
        _ => {
            let icmp = Icmpv4Repr::EchoReply { ident, seq_no, data };
            send_ip(context, link, ends, IpProtocol::Icmp, icmp.buffer_len(), |bytes| {
                icmp.emit(&mut Icmpv4Packet::new_unchecked(bytes), &checksums);
            });
        }
    }
}

/// Tell the guest that nobody was there, or that it may not.
fn unreachable(context: &mut Context<'_>, link: &mut Link, key: Key, is_forbidden: bool) {
    // What the guest knows its packet by: the ports, or kind and identifier.
    let mut data = [0; 8];
    if key.is_echo {
        data[0] = if key.guest.is_ipv4() {
            Icmpv4Message::EchoRequest.into()
        } else {
            Icmpv6Message::EchoRequest.into()
        };
        data[4..6].copy_from_slice(&key.guest.port().to_be_bytes());
    } else {
        data[..2].copy_from_slice(&key.guest.port().to_be_bytes());
        data[2..4].copy_from_slice(&key.other.port().to_be_bytes());
        data[5] = 8;
    }
    let checksums = link.checksums();
    let ends = (key.other.ip(), key.guest.ip());
    let payload_len = data.len();
    match ends {
        (IpAddr::V4(other), IpAddr::V4(guest)) => {
            let next_header = if key.is_echo { IpProtocol::Icmp } else { IpProtocol::Udp };
            let header = Ipv4Repr {
                src_addr: guest,
                dst_addr: other,
                next_header,
                payload_len,
                hop_limit: HOP_LIMIT,
            };
            let reason = if is_forbidden {
                Icmpv4DstUnreachable::CommProhibited
            } else {
                Icmpv4DstUnreachable::PortUnreachable
            };
            let icmp = Icmpv4Repr::DstUnreachable { reason, header, data: &data };
            send_ip(context, link, ends, IpProtocol::Icmp, icmp.buffer_len(), |bytes| {
                icmp.emit(&mut Icmpv4Packet::new_unchecked(bytes), &checksums);
            });
        }
        (IpAddr::V6(other), IpAddr::V6(guest)) => {
            let next_header = if key.is_echo { IpProtocol::Icmpv6 } else { IpProtocol::Udp };
            let header = Ipv6Repr {
                src_addr: guest,
                dst_addr: other,
                next_header,
                payload_len,
                hop_limit: HOP_LIMIT,
            };
            let reason = if is_forbidden {
                Icmpv6DstUnreachable::AdminProhibit
            } else {
                Icmpv6DstUnreachable::PortUnreachable
            };
            let icmp = Icmpv6Repr::DstUnreachable { reason, header, data: &data };
            send_ip(context, link, ends, IpProtocol::Icmpv6, icmp.buffer_len(), |bytes| {
                icmp.emit(&other, &guest, &mut Icmpv6Packet::new_unchecked(bytes), &checksums);
            });
        }
        _ => {}
    }
}
