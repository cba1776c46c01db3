//! `--net socket=`: machines on one wire. The first one listens at the path, and passes frames on between
//! all; it also gives out addresses. On a stream, a frame comes after its length, in four bytes, the
//! highest first, as QEMU's `-netdev stream` has it.

use crate::port::FRAME_MAX;
use crate::sys::{self, Epoll, Errno, Fd};
use crate::user::lease::{self, Lease};
use crate::user::link::Link;
use crate::{Context, Guest, Header, Network};
use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::net::Ipv4Addr;
use hashbrown::HashMap;
use linnet_virtio::net::{HEADER_SIZE, feature};
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol, Ipv4Packet, UdpPacket};

/// Most machines on a wire besides the first.
const MAX_PEERS: usize = 15;
/// Most addresses that are remembered.
const MAX_ADDRESSES: usize = 1024;
/// Bytes that wait for a machine which is slow.
const MAX_WAITING: usize = 4 << 20;

const LISTENER: u64 = crate::serve::FIRST_TOKEN;
const PEERS: u64 = LISTENER + 1;

/// The stream to another machine.
#[derive(Debug)]
struct Peer {
    fd: Fd,
    input: Vec<u8>,
    output: Vec<u8>,
    readable: bool,
}

/// Where frames come from and go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Guest,
    Peer(usize),
}

#[derive(Debug)]
pub struct Wire {
    /// Of the first machine.
    listener: Option<Fd>,
    peers: Vec<Option<Peer>>,
    addresses: HashMap<EthernetAddress, Place>,
    leases: HashMap<EthernetAddress, Ipv4Addr>,
    buffer: Vec<u8>,
}

/// Collects frames that are answers.
struct Answers(Vec<Vec<u8>>);

impl Guest for Answers {
    fn has_room(&self) -> bool {
        true
    }

    fn send(&mut self, _: &Header, frame: &[u8]) {
        self.0.push(frame.to_vec());
    }

    fn features(&self) -> u64 {
        0
    }
}

impl Wire {
    /// Join the wire at a path, or begin one.
    pub fn open(path: &CStr) -> sys::Result<Wire> {
        let mut tries = 0;
        loop {
            tries += 1;
            match sys::connected_to_path(path) {
                Ok(fd) => return Ok(Wire::new(None, Some(fd))),
                // Nobody is there, though there may have been once.
                Err(Errno::CONNREFUSED) => drop(sys::unlink(path)),
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno),
            }
            match sys::bound_to_path(path) {
                Ok(listener) => return Ok(Wire::new(Some(listener), None)),
                // Another machine was faster.
                Err(Errno::ADDRINUSE) if tries < 10 => sys::sleep_ms(10),
                Err(errno) => return Err(errno),
            }
        }
    }

    fn new(listener: Option<Fd>, first: Option<Fd>) -> Wire {
        Wire {
            listener,
            peers: first.into_iter().map(|fd| Some(Peer::new(fd))).collect(),
            addresses: HashMap::new(),
            leases: HashMap::new(),
            buffer: vec![0; 256 << 10],
        }
    }

    /// Let other machines in.
    fn accept(&mut self, epoll: &Epoll) {
        let Some(listener) = &self.listener else { return };
        while let Ok((fd, _)) = sys::accept(listener) {
            let free = self.peers.iter().position(Option::is_none).unwrap_or(self.peers.len());
            let events = sys::IN | sys::OUT | sys::RDHUP | sys::EDGE;
            if free >= MAX_PEERS || epoll.add(fd.number(), events, PEERS + free as u64).is_err() {
                continue;
            }
            if free == self.peers.len() {
                self.peers.push(None);
            }
            self.peers[free] = Some(Peer::new(fd));
        }
    }

    /// Pass a frame on.
    fn pass(&mut self, guest: &mut dyn Guest, from: Place, bytes: &[u8]) {
        let Ok(frame) = EthernetFrame::new_checked(bytes) else { return };
        let (source, to) = (frame.src_addr(), frame.dst_addr());
        if source.is_unicast()
            && (self.addresses.len() < MAX_ADDRESSES || self.addresses.contains_key(&source))
        {
            self.addresses.insert(source, from);
        }
        if self.listener.is_some() && frame.ethertype() == EthernetProtocol::Ipv4 {
            self.lease(guest, from, source, frame.payload());
        }
        match self.addresses.get(&to).copied() {
            Some(place) if to.is_unicast() => {
                if place != from {
                    self.give(guest, place, bytes);
                }
            }
            _ => {
                let peers = (0..self.peers.len()).map(Place::Peer);
                for place in [Place::Guest].into_iter().chain(peers).filter(|it| *it != from) {
                    self.give(guest, place, bytes);
                }
            }
        }
    }

    fn give(&mut self, guest: &mut dyn Guest, place: Place, bytes: &[u8]) {
        match place {
            Place::Guest => guest.send(&[0; HEADER_SIZE], bytes),
            Place::Peer(n) => {
                if let Some(Some(peer)) = self.peers.get_mut(n) {
                    peer.send(bytes);
                }
            }
        }
    }

    /// Give an address to who asks for one.
    fn lease(
        &mut self,
        guest: &mut dyn Guest,
        from: Place,
        source: EthernetAddress,
        packet: &[u8],
    ) {
        const FIRST: u32 = Ipv4Addr::new(10, 0, 2, 15).to_bits();
        const MOST: usize = 200;
        let Ok(ip) = Ipv4Packet::new_checked(packet) else { return };
        let Ok(udp) = UdpPacket::new_checked(ip.payload()) else { return };
        if udp.dst_port() != lease::SERVER_PORT
            || ip.next_header() != smoltcp::wire::IpProtocol::Udp
        {
            return;
        }
        let next = Ipv4Addr::from_bits(FIRST + self.leases.len() as u32);
        if self.leases.len() >= MOST && !self.leases.contains_key(&source) {
            return;
        }
        let address = *self.leases.entry(source).or_insert(next);
        let lease = Lease { address, router: None, resolver: None };
        let mut link = Link::new(0);
        link.guest = Some(source);
        let mut answers = Answers(Vec::new());
        lease::answer(&mut answers, &mut link, &lease, udp.payload());
        for answer in answers.0 {
            self.give(guest, from, &answer);
        }
    }

    /// Take frames from another machine; false if it is gone.
    fn drain(&mut self, guest: &mut dyn Guest, n: usize) -> bool {
        let mut buffer = core::mem::take(&mut self.buffer);
        let mut lives = true;
        while let Some(Some(peer)) = self.peers.get_mut(n) {
            if !guest.has_room() {
                break;
            }
            if let Some(len) = peer.whole() {
                let input = core::mem::take(&mut peer.input);
                self.pass(guest, Place::Peer(n), &input[4..len]);
                if let Some(Some(peer)) = self.peers.get_mut(n) {
                    peer.input = input;
                    peer.input.drain(..len);
                }
                continue;
            }
            if !peer.readable {
                break;
            }
            match sys::receive(&peer.fd, &mut buffer) {
                Ok(0) => lives = false,
                Ok(len) => peer.input.extend_from_slice(&buffer[..len]),
                Err(Errno::AGAIN) => peer.readable = false,
                Err(Errno::INTR) => {}
                Err(_) => lives = false,
            }
            lives &= peer.is_sensible();
            if !lives {
                break;
            }
        }
        self.buffer = buffer;
        lives
    }

    fn work(&mut self, context: &mut Context<'_>) {
        for n in 0..self.peers.len() {
            if self.drain(context.guest, n) {
                continue;
            }
            self.peers[n] = None;
            self.addresses.retain(|_, place| *place != Place::Peer(n));
            if self.listener.is_none() {
                // The wire is gone.
                sys::exit(0);
            }
        }
    }
}

impl Peer {
    fn new(fd: Fd) -> Peer {
        Peer { fd, input: Vec::new(), output: Vec::new(), readable: true }
    }

    fn frame_len(&self) -> Option<usize> {
        let len: [u8; 4] = self.input.get(..4)?.try_into().ok()?;
        Some(u32::from_be_bytes(len) as usize)
    }

    fn is_sensible(&self) -> bool {
        self.frame_len().is_none_or(|len| len <= FRAME_MAX)
    }

    /// How long the first frame is with its length, if all of it is there.
    fn whole(&self) -> Option<usize> {
        let len = 4 + self.frame_len()?;
        (len <= self.input.len()).then_some(len)
    }

    fn send(&mut self, frame: &[u8]) {
        if self.output.len() + frame.len() > MAX_WAITING {
            return;
        }
        self.output.extend_from_slice(&(frame.len() as u32).to_be_bytes());
        self.output.extend_from_slice(frame);
        self.push();
    }

    fn push(&mut self) {
        let mut sent = 0;
        while sent < self.output.len() {
            match sys::send(&self.fd, &self.output[sent..]) {
                Ok(n) => sent += n,
                Err(Errno::INTR) => {}
                // That it is gone shows when it is read from.
                Err(_) => break,
            }
        }
        self.output.drain(..sent);
    }
}

impl Network for Wire {
    fn features(&self) -> u64 {
        feature::MERGEABLE_BUFFERS | feature::MTU
    }

    fn begin(&mut self, epoll: &Epoll) -> sys::Result<()> {
        if let Some(listener) = &self.listener {
            epoll.add(listener.number(), sys::IN, LISTENER)?;
        }
        let events = sys::IN | sys::OUT | sys::RDHUP | sys::EDGE;
        for (n, peer) in self.peers.iter().enumerate() {
            if let Some(peer) = peer {
                epoll.add(peer.fd.number(), events, PEERS + n as u64)?;
            }
        }
        Ok(())
    }

    fn reset(&mut self, _: &mut Context<'_>) {}

    fn frame(&mut self, context: &mut Context<'_>, _: &Header, frame: &[u8]) {
        self.pass(context.guest, Place::Guest, frame);
    }

    fn event(&mut self, context: &mut Context<'_>, token: u64, _: u32) {
        if token == LISTENER {
            return self.accept(context.epoll);
        }
        if let Some(Some(peer)) = self.peers.get_mut((token - PEERS) as usize) {
            peer.readable = true;
            peer.push();
        }
    }

    fn flush(&mut self, context: &mut Context<'_>) {
        self.work(context);
    }

    fn deadline(&self) -> Option<u64> {
        None
    }
}
