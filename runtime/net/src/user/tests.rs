//! Frames of a guest that sends what it likes. What gets through goes to ports of loopback that nobody has.

use super::User;
use super::addresses::{GATEWAY, GATEWAY6, GUEST, NETWORK6, RESOLVER};
use crate::sys::Epoll;
use crate::{Context, Guest, Header, Network};
use alloc::vec::Vec;
use linnet_virtio::net::HEADER_SIZE;

/// A guest that takes some frames, and at times has no room.
#[derive(Default)]
struct Sink {
    frames: Vec<Vec<u8>>,
    is_full: bool,
}

impl Guest for Sink {
    fn has_room(&self) -> bool {
        !self.is_full
    }

    fn send(&mut self, _: &Header, frame: &[u8]) {
        self.frames.push(frame.to_vec());
    }

    fn features(&self) -> u64 {
        u64::MAX
    }
}

/// Never to be used: they are reserved, or nobody of this test listens there.
const PORTS: [u16; 4] = [1, 2, 67, 0];

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.next() as usize % all.len()]
    }
}

/// A frame that is nearly right.
fn frame(random: &mut Random) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend([0x52, 0x55, 10, 0, 2, 2, 0x52, 0x54, 0, 1, 2, 3]);
    let is_ipv4 = random.next().is_multiple_of(2);
    let kind: u16 = if random.next().is_multiple_of(20) {
        0x0806
    } else if is_ipv4 {
        0x0800
    } else {
        0x86dd
    };
    frame.extend(kind.to_be_bytes());
    let protocol = random.of(&[1_u8, 6, 6, 6, 17, 17, 58, 0]);
    let payload_len = random.next() as usize % 120;
    if is_ipv4 {
        frame.extend([0x45, 0]);
        frame.extend((20 + payload_len as u16).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
        frame.extend(GUEST.octets());
        frame.extend(random.of(&[GATEWAY, RESOLVER, GUEST]).octets());
    } else {
        frame.extend([0x60, 0, 0, 0]);
        frame.extend((payload_len as u16).to_be_bytes());
        frame.extend([protocol, random.of(&[64, 255])]);
        let mut guest = NETWORK6.octets();
        guest[15] = 0x15;
        frame.extend(guest);
        frame.extend(GATEWAY6.octets());
    }
    let payload = frame.len();
    frame.extend((0..payload_len).map(|_| random.next() as u8));
    if payload_len >= 20 && (protocol == 6 || protocol == 17) {
        let (from, to) = (random.of(&PORTS), random.of(&PORTS));
        frame[payload..payload + 2].copy_from_slice(&from.to_be_bytes());
        frame[payload + 2..payload + 4].copy_from_slice(&to.to_be_bytes());
        if protocol == 6 {
            frame[payload + 12] = 0x50;
            frame[payload + 13] &= 0x17;
        } else {
            frame[payload + 4..payload + 6].copy_from_slice(&(payload_len as u16).to_be_bytes());
        }
    }
    // Somewhere it is wrong, but where addresses and ports are: what gets through stays on this host.
    if random.next().is_multiple_of(3) && frame.len() > payload + 4 {
        let range = frame.len() - payload - 4;
        let at = payload + 4 + random.next() as usize % range;
        frame[at] = random.next() as u8;
    }
    if random.next().is_multiple_of(10) {
        frame.truncate(random.next() as usize % (frame.len() + 1));
    }
    frame
}

#[test]
fn frames_of_all_kinds_do_no_harm_and_tables_have_bounds() {
    let epoll = Epoll::new().unwrap();
    let mut user = User::new(None, Vec::new());
    let mut sink = Sink::default();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    user.begin(&epoll).unwrap();
    let mut now = 1_000_000_000;
    user.reset(&mut Context { guest: &mut sink, epoll: &epoll, now });
    let mut answers = 0;
    let mut events = [crate::sys::Event::NONE; 64];
    for n in 0..1_000_000_u32 {
        let frame = frame(&mut random);
        let mut context = Context { guest: &mut sink, epoll: &epoll, now };
        user.frame(&mut context, &[0; HEADER_SIZE], &frame);
        if n.is_multiple_of(16) {
            for event in epoll.wait(&mut events, Some(0)) {
                let (token, events) = (event.token, event.events);
                user.event(&mut context, token, events);
            }
            user.flush(&mut context);
            answers += sink.frames.len();
            sink.frames.clear();
            sink.is_full = random.next().is_multiple_of(4);
            now += random.next() % 1_000_000_000;
        }
        if n.is_multiple_of(250_000) {
            user.reset(&mut Context { guest: &mut sink, epoll: &epoll, now });
        }
    }
    assert!(answers > 1000, "{answers}");
    assert!(user.tables() <= PORTS.len() * PORTS.len() * 4 * 2, "{}", user.tables());
}
