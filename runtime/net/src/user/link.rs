//! Frames around packets, and the device that smoltcp sees.

use crate::{Context, Guest, Header};
use alloc::vec::Vec;
use linnet_virtio::net::{ETHERNET_HEADER, HEADER_CHECKSUM_VALID, HEADER_SIZE, MTU_MAX, feature};
use smoltcp::phy::{self, Checksum, ChecksumCapabilities, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr};

/// The gateway's.
pub const OURS: EthernetAddress = EthernetAddress([0x52, 0x55, 10, 0, 2, 2]);

/// The link to the guest.
#[derive(Debug, Default)]
pub struct Link {
    /// The guest's address, once it has sent something.
    pub guest: Option<EthernetAddress>,
    /// The guest takes TCP segments and datagrams without checksums: nothing on the way can change them.
    is_checked: bool,
    frame: Vec<u8>,
}

/// The clock that smoltcp counts by.
pub fn instant(now: u64) -> Instant {
    Instant::from_micros((now / 1000) as i64)
}

impl Link {
    #[must_use]
    pub fn new(features: u64) -> Link {
        let is_checked = features & feature::GUEST_CHECKSUM == 0;
        Link { guest: None, is_checked, frame: Vec::new() }
    }

    /// Which checksums are made; none is looked at, for the guest may leave them to the device.
    pub fn checksums(&self) -> ChecksumCapabilities {
        let mut checksums = ChecksumCapabilities::ignored();
        checksums.ipv4 = Checksum::Tx;
        checksums.icmpv4 = Checksum::Tx;
        checksums.icmpv6 = Checksum::Tx;
        if self.is_checked {
            checksums.tcp = Checksum::Tx;
            checksums.udp = Checksum::Tx;
        }
        checksums
    }

    /// Send a frame with `len` bytes that `fill` writes.
    pub fn send<R>(
        &mut self,
        guest: &mut dyn Guest,
        protocol: EthernetProtocol,
        to: EthernetAddress,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> R,
    ) -> R {
        // What smoltcp has left of an earlier frame is written over: it fills all that it asks for.
        self.frame.resize(ETHERNET_HEADER + len, 0);
        let header = EthernetRepr { src_addr: OURS, dst_addr: to, ethertype: protocol };
        header.emit(&mut EthernetFrame::new_unchecked(&mut self.frame[..]));
        let r = fill(&mut self.frame[ETHERNET_HEADER..]);
        let mut header: Header = [0; HEADER_SIZE];
        if !self.is_checked {
            header[0] = HEADER_CHECKSUM_VALID;
        }
        guest.send(&header, &self.frame);
        r
    }

    /// Send a packet of `len` bytes to the guest.
    pub fn send_packet<R>(
        &mut self,
        guest: &mut dyn Guest,
        is_ipv4: bool,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> R,
    ) -> R {
        let protocol = if is_ipv4 { EthernetProtocol::Ipv4 } else { EthernetProtocol::Ipv6 };
        let to = self.guest.unwrap_or(EthernetAddress::BROADCAST);
        self.send(guest, protocol, to, len, fill)
    }

    /// As a device that has received a packet, or none.
    pub fn device<'a>(
        &'a mut self,
        context: &'a mut Context<'_>,
        packet: Option<&'a [u8]>,
    ) -> Device<'a> {
        Device { link: self, guest: &mut *context.guest, packet }
    }
}

/// The link as smoltcp sees it: packets without frames.
pub struct Device<'a> {
    link: &'a mut Link,
    guest: &'a mut dyn Guest,
    packet: Option<&'a [u8]>,
}

/// A packet of the guest.
pub struct Received<'a>(&'a [u8]);

/// Room for a packet to the guest.
pub struct Room<'a> {
    link: &'a mut Link,
    guest: &'a mut dyn Guest,
}

impl phy::Device for Device<'_> {
    type RxToken<'t>
        = Received<'t>
    where
        Self: 't;
    type TxToken<'t>
        = Room<'t>
    where
        Self: 't;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Room<'_>)> {
        let packet = self.packet.take()?;
        Some((Received(packet), Room { link: self.link, guest: self.guest }))
    }

    fn transmit(&mut self, _: Instant) -> Option<Room<'_>> {
        self.guest.has_room().then_some(Room { link: self.link, guest: self.guest })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        capabilities(self.link)
    }
}

fn capabilities(link: &Link) -> DeviceCapabilities {
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ip;
    capabilities.max_transmission_unit = MTU_MAX.into();
    capabilities.checksum = link.checksums();
    capabilities
}

impl phy::RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

impl phy::TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let to = self.link.guest.unwrap_or(EthernetAddress::BROADCAST);
        let mut is_ipv4 = true;
        let mut r = None;
        // The kind is in the packet, and the packet is in the frame only when it is made.
        self.link.frame.resize(ETHERNET_HEADER + len, 0);
        r.replace(f(&mut self.link.frame[ETHERNET_HEADER..]));
        if len != 0 {
            is_ipv4 = self.link.frame[ETHERNET_HEADER] >> 4 == 4;
        }
        let protocol = if is_ipv4 { EthernetProtocol::Ipv4 } else { EthernetProtocol::Ipv6 };
        self.link.send(self.guest, protocol, to, len, |_| ());
        r.expect("filled above")
    }
}

/// Only to make an interface: a device without a guest.
pub struct Unplugged<'a>(pub &'a Link);

impl phy::Device for Unplugged<'_> {
    type RxToken<'t>
        = Received<'t>
    where
        Self: 't;
    type TxToken<'t>
        = Room<'t>
    where
        Self: 't;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Room<'_>)> {
        None
    }

    fn transmit(&mut self, _: Instant) -> Option<Room<'_>> {
        None
    }

    fn capabilities(&self) -> DeviceCapabilities {
        capabilities(self.0)
    }
}
