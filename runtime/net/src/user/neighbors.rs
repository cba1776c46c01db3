//! The guest finds the gateway: ARP, neighbor and router discovery.

use super::Packet;
use super::addresses::{self, Addresses, NETWORK6, PREFIX_LEN6, ROUTER};
use super::link::{Link, OURS};
use crate::Context;
use core::net::{IpAddr, Ipv6Addr};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::time::Duration;
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetProtocol, Icmpv6Packet, Icmpv6Repr, IpProtocol,
    Ipv6Packet, Ipv6Repr, NdiscNeighborFlags, NdiscPrefixInfoFlags, NdiscPrefixInformation,
    NdiscRepr, NdiscRouterFlags,
};

/// Answer who has an address, if it is ours.
pub fn arp(context: &mut Context<'_>, link: &mut Link, payload: &[u8]) {
    let Ok(packet) = ArpPacket::new_checked(payload) else { return };
    let Ok(ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr,
        source_protocol_addr,
        target_protocol_addr,
        ..
    }) = ArpRepr::parse(&packet)
    else {
        return;
    };
    if !addresses::is_ours(IpAddr::V4(target_protocol_addr)) {
        return;
    }
    let reply = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Reply,
        source_hardware_addr: OURS,
        source_protocol_addr: target_protocol_addr,
        target_hardware_addr: source_hardware_addr,
        target_protocol_addr: source_protocol_addr,
    };
    let len = reply.buffer_len();
    link.send(context.guest, EthernetProtocol::Arp, source_hardware_addr, len, |bytes| {
        reply.emit(&mut ArpPacket::new_unchecked(bytes));
    });
}

/// Answer discovery of neighbors and routers. Whether it was that.
pub fn discovery(
    context: &mut Context<'_>,
    link: &mut Link,
    addresses: &mut Addresses,
    packet: &Packet<'_>,
) -> bool {
    let (IpAddr::V6(from), IpAddr::V6(to)) = (packet.from, packet.to) else { return false };
    let Ok(icmp) = Icmpv6Packet::new_checked(packet.payload) else { return true };
    let Ok(repr) = Icmpv6Repr::parse(&from, &to, &icmp, &ChecksumCapabilities::ignored()) else {
        return true;
    };
    match repr {
        Icmpv6Repr::Ndisc(_) if packet.hops != 255 => {}
        Icmpv6Repr::Ndisc(NdiscRepr::RouterSolicit { .. }) => advertise(context, link),
        Icmpv6Repr::Ndisc(NdiscRepr::NeighborSolicit { target_addr, .. }) => {
            if addresses::is_ours(IpAddr::V6(target_addr)) && !from.is_unspecified() {
                let advert = NdiscRepr::NeighborAdvert {
                    flags: NdiscNeighborFlags::ROUTER
                        | NdiscNeighborFlags::SOLICITED
                        | NdiscNeighborFlags::OVERRIDE,
                    target_addr,
                    lladdr: Some(OURS.into()),
                };
                send(context, link, target_addr, from, advert);
            } else if from.is_unspecified() && Addresses::is_guest(IpAddr::V6(target_addr)) {
                // It asks whether anybody else has the address: it is going to.
                addresses.learn(IpAddr::V6(target_addr));
            }
        }
        Icmpv6Repr::Ndisc(_) => {}
        Icmpv6Repr::Mld(_) => {}
        _ => return false,
    }
    true
}

/// Say that there is a router, and which network this is.
pub fn advertise(context: &mut Context<'_>, link: &mut Link) {
    const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    const HOUR: Duration = Duration::from_secs(3600);
    const DAY: Duration = Duration::from_secs(86_400);
    let advert = NdiscRepr::RouterAdvert {
        hop_limit: 64,
        flags: NdiscRouterFlags::empty(),
        router_lifetime: HOUR,
        reachable_time: Duration::ZERO,
        retrans_time: Duration::ZERO,
        lladdr: Some(OURS.into()),
        mtu: None,
        prefix_info: Some(NdiscPrefixInformation {
            prefix_len: PREFIX_LEN6,
            flags: NdiscPrefixInfoFlags::ON_LINK | NdiscPrefixInfoFlags::ADDRCONF,
            valid_lifetime: DAY,
            preferred_lifetime: DAY,
            prefix: NETWORK6,
        }),
    };
    send(context, link, ROUTER, ALL_NODES, advert);
}

fn send(
    context: &mut Context<'_>,
    link: &mut Link,
    from: Ipv6Addr,
    to: Ipv6Addr,
    ndisc: NdiscRepr<'_>,
) {
    let icmp = Icmpv6Repr::Ndisc(ndisc);
    let ip = Ipv6Repr {
        src_addr: from,
        dst_addr: to,
        next_header: IpProtocol::Icmpv6,
        payload_len: icmp.buffer_len(),
        hop_limit: 255,
    };
    link.send_packet(context.guest, false, ip.buffer_len() + ip.payload_len, |bytes| {
        ip.emit(&mut Ipv6Packet::new_unchecked(&mut bytes[..]));
        let payload = &mut bytes[ip.buffer_len()..];
        icmp.emit(
            &from,
            &to,
            &mut Icmpv6Packet::new_unchecked(payload),
            &ChecksumCapabilities::default(),
        );
    });
}
