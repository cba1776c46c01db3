//! The guest gets its address: DHCP, version 4.

use super::addresses::{GATEWAY, MASK};
use super::link::Link;
use crate::Guest;
use core::net::Ipv4Addr;
use smoltcp::wire::{
    DhcpMessageType, DhcpPacket, DhcpRepr, IpProtocol, Ipv4Packet, Ipv4Repr, UdpPacket, UdpRepr,
};

pub const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
/// For ever.
const LEASE_SECONDS: u32 = u32::MAX;

/// What a client gets.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    pub address: Ipv4Addr,
    /// A network of machines alone has neither.
    pub router: Option<Ipv4Addr>,
    pub resolver: Option<Ipv4Addr>,
}

/// Answer a client's message with a frame, if it is to be answered.
pub fn answer(guest: &mut dyn Guest, link: &mut Link, lease: &Lease, payload: &[u8]) {
    let Ok(packet) = DhcpPacket::new_checked(payload) else { return };
    let Ok(request) = DhcpRepr::parse(&packet) else { return };
    let message_type = match request.message_type {
        DhcpMessageType::Discover => DhcpMessageType::Offer,
        DhcpMessageType::Request => match request.requested_ip {
            Some(address) if address != lease.address => DhcpMessageType::Nak,
            _ => DhcpMessageType::Ack,
        },
        DhcpMessageType::Inform => DhcpMessageType::Ack,
        _ => return,
    };
    let is_refused = message_type == DhcpMessageType::Nak;
    let reply = DhcpRepr {
        message_type,
        transaction_id: request.transaction_id,
        secs: 0,
        client_hardware_address: request.client_hardware_address,
        client_ip: request.client_ip,
        your_ip: if is_refused { Ipv4Addr::UNSPECIFIED } else { lease.address },
        server_ip: GATEWAY,
        router: lease.router.filter(|_| !is_refused),
        subnet_mask: (!is_refused).then_some(MASK),
        relay_agent_ip: Ipv4Addr::UNSPECIFIED,
        broadcast: true,
        requested_ip: None,
        client_identifier: request.client_identifier,
        server_identifier: Some(GATEWAY),
        parameter_request_list: None,
        dns_servers: lease.resolver.filter(|_| !is_refused).map(|it| [it].into_iter().collect()),
        max_size: None,
        lease_duration: (!is_refused).then_some(LEASE_SECONDS),
        renew_duration: None,
        rebind_duration: None,
        additional_options: &[],
    };
    let udp = UdpRepr { src_port: SERVER_PORT, dst_port: CLIENT_PORT };
    let ip = Ipv4Repr {
        src_addr: GATEWAY,
        dst_addr: Ipv4Addr::BROADCAST,
        next_header: IpProtocol::Udp,
        payload_len: udp.header_len() + reply.buffer_len(),
        hop_limit: 64,
    };
    let checksums = smoltcp::phy::ChecksumCapabilities::default();
    link.send_packet(guest, true, ip.buffer_len() + ip.payload_len, |bytes| {
        ip.emit(&mut Ipv4Packet::new_unchecked(&mut bytes[..]), &checksums);
        let payload = &mut bytes[ip.buffer_len()..];
        udp.emit(
            &mut UdpPacket::new_unchecked(payload),
            &GATEWAY.into(),
            &Ipv4Addr::BROADCAST.into(),
            reply.buffer_len(),
            // There is always room for what `buffer_len` says.
            |bytes| reply.emit(&mut DhcpPacket::new_unchecked(bytes)).unwrap_or(()),
            &checksums,
        );
    });
}
