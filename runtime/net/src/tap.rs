//! `--net tap=`: an interface of the host. It takes packets as the guest makes them, large ones and those
//! without checksums too.

use crate::sys::{self, Epoll, Errno, Fd};
use crate::{Context, Header, Network};
use alloc::vec;
use alloc::vec::Vec;
use linnet_virtio::net::{HEADER_SIZE, feature};

use crate::port::FRAME_MAX;

/// Its requests (uapi/linux/if_tun.h).
const SET_INTERFACE: usize = 0x4004_54ca;
pub const SET_OFFLOAD: usize = 0x4004_54d0;
const SET_HEADER_SIZE: usize = 0x4004_54d8;

const TAP: u16 = 2;
const NO_PACKET_INFORMATION: u16 = 0x1000;
const WITH_HEADER: u16 = 0x4000;

const TOKEN: u64 = crate::serve::FIRST_TOKEN;
/// So many frames are taken at once.
const BATCH: usize = 64;

#[derive(Debug)]
pub struct Tap {
    fd: Fd,
    readable: bool,
    buffer: Vec<u8>,
}

impl Tap {
    /// Open an interface, or make it.
    pub fn open(name: &str) -> sys::Result<Tap> {
        let fd = sys::open(c"/dev/net/tun", true)?;
        // `struct ifreq`: the name, and flags.
        let mut request = [0_u8; 40];
        request[..name.len()].copy_from_slice(name.as_bytes());
        let flags = TAP | NO_PACKET_INFORMATION | WITH_HEADER;
        request[16..18].copy_from_slice(&flags.to_ne_bytes());
        sys::control(&fd, SET_INTERFACE, request.as_mut_ptr() as usize)?;
        let size = HEADER_SIZE as i32;
        sys::control(&fd, SET_HEADER_SIZE, &raw const size as usize)?;
        Ok(Tap { fd, readable: false, buffer: vec![0; FRAME_MAX] })
    }

    fn drain(&mut self, context: &mut Context<'_>) {
        for _ in 0..BATCH {
            if !self.readable || !context.guest.has_room() {
                break;
            }
            let mut header: Header = [0; HEADER_SIZE];
            match sys::read_parts(&self.fd, [&mut header, &mut self.buffer]) {
                Ok(n) if n > HEADER_SIZE => {
                    context.guest.send(&header, &self.buffer[..n - HEADER_SIZE]);
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => self.readable = false,
            }
        }
    }
}

impl Network for Tap {
    fn features(&self) -> u64 {
        feature::CHECKSUM
            | feature::GUEST_CHECKSUM
            | feature::MERGEABLE_BUFFERS
            | feature::HOST_TSO4
            | feature::HOST_TSO6
            | feature::GUEST_TSO4
            | feature::GUEST_TSO6
    }

    fn begin(&mut self, epoll: &Epoll) -> sys::Result<()> {
        epoll.add(self.fd.number(), sys::IN | sys::EDGE, TOKEN)
    }

    fn reset(&mut self, context: &mut Context<'_>) {
        const CHECKSUM: usize = 1;
        const TSO4: usize = 2;
        const TSO6: usize = 4;
        let pairs = [
            (feature::GUEST_CHECKSUM, CHECKSUM),
            (feature::GUEST_TSO4, TSO4),
            (feature::GUEST_TSO6, TSO6),
        ];
        let chosen = pairs.iter().filter(|(bit, _)| context.guest.features() & bit != 0);
        let flags = chosen.fold(0, |flags, (_, flag)| flags | flag);
        // A host that has none of them sends what every driver takes.
        let _ = sys::control(&self.fd, SET_OFFLOAD, flags);
        self.readable = true;
    }

    fn frame(&mut self, _: &mut Context<'_>, header: &Header, frame: &[u8]) {
        // An interface that is down takes none, as a cable that is not plugged in.
        let _ = sys::write_parts(&self.fd, [header, frame]);
    }

    fn event(&mut self, context: &mut Context<'_>, _: u64, _: u32) {
        self.readable = true;
        self.drain(context);
    }

    fn flush(&mut self, context: &mut Context<'_>) {
        self.drain(context);
    }

    fn deadline(&self) -> Option<u64> {
        // There is more to take.
        self.readable.then_some(0)
    }
}
