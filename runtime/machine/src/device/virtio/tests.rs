//! A driver of disks that writes what it likes.

use super::block::{Backend, Disk};
use super::mmio::Mmio;
use crate::host::sys::{EINTR, IoVec};
use crate::memory::physical::GuestMemory;
use std::cell::{Cell, RefCell};
use std::slice;

const SECTOR: usize = 512;

/// Guest memory begins behind what nobody may use, and ends before a canary.
const START: u32 = 64 << 10;
const SIZE: u32 = START + (64 << 10);
const CANARY: usize = 4096;

const DESCRIPTORS: u32 = START;
const AVAILABLE: u32 = START + 0x1000;
const USED: u32 = START + 0x2000;
/// Where requests are.
const BUFFERS: u32 = START + 0x3000;

const STATUS: u32 = 0x070;
const NOTIFY: u32 = 0x050;
const INTERRUPT: u32 = 0x060;
const ACKNOWLEDGE: u32 = 0x064;
const READY: u32 = 0x044;
const QUEUE_SIZE: u32 = 0x038;
const NEEDS_RESET: u32 = 64;

const NEXT: u16 = 1;
const WRITE: u16 = 2;

/// A disk in memory, on which calls do less than they are asked for.
struct Slow {
    bytes: RefCell<Vec<u8>>,
    most: usize,
    interrupted: Cell<bool>,
    flushed: Cell<u32>,
}

impl Slow {
    fn each(&self, parts: &[IoVec], offset: u64, mut f: impl FnMut(&mut u8, *mut u8)) -> isize {
        if !self.interrupted.replace(!self.interrupted.get()) {
            return EINTR;
        }
        let mut bytes = self.bytes.borrow_mut();
        let places =
            parts.iter().flat_map(|part| (0..part.len).map(|i| part.start.wrapping_add(i)));
        let pairs = bytes[offset as usize..].iter_mut().zip(places).take(self.most);
        pairs.map(|(byte, place)| f(byte, place)).count() as isize
    }
}

impl Backend for Slow {
    fn read(&self, parts: &[IoVec], offset: u64) -> isize {
        // SAFETY: the queue gives places in guest memory.
        self.each(parts, offset, |byte, place| unsafe { place.write(*byte) })
    }

    fn write(&self, parts: &[IoVec], offset: u64) -> isize {
        // SAFETY: as above.
        self.each(parts, offset, |byte, place| *byte = unsafe { place.read() })
    }

    fn flush(&self) -> bool {
        self.flushed.set(self.flushed.get() + 1);
        true
    }
}

struct Machine {
    disk: Mmio<Disk<Slow>>,
    base: *mut u8,
    raised: Cell<u32>,
    next: u16,
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SAFETY: leaked in `new`, and nobody has it any more.
        let bytes = unsafe { slice::from_raw_parts(self.base, SIZE as usize + CANARY) };
        // Compared as a whole, which Miri does at once.
        assert!(bytes[..START as usize] == [0xa5; START as usize], "written below memory");
        assert!(bytes[SIZE as usize..] == [0xa5; CANARY], "written behind memory");
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(self.base.cast::<[u64; (SIZE as usize + CANARY) / 8]>()) });
    }
}

impl Machine {
    /// With a disk of some sectors, and a queue of 16.
    fn new(sectors: usize, read_only: bool) -> Machine {
        let memory = Box::new([0xa5a5_a5a5_a5a5_a5a5_u64; (SIZE as usize + CANARY) / 8]);
        let backend = Slow {
            bytes: RefCell::new((0..sectors * SECTOR).map(|n| (n / SECTOR) as u8).collect()),
            most: 700,
            interrupted: Cell::new(false),
            flushed: Cell::new(0),
        };
        let disk = Mmio::new(Disk::new(backend, (sectors * SECTOR + 17) as u64, read_only));
        let machine =
            Machine { disk, base: Box::into_raw(memory).cast(), raised: Cell::new(0), next: 0 };
        // SAFETY: allocated just now.
        unsafe { machine.base.add(START as usize).write_bytes(0, (SIZE - START) as usize) };
        machine.set_queue(16, DESCRIPTORS, AVAILABLE, USED);
        machine
    }

    fn set_queue(&self, size: u32, descriptors: u32, available: u32, used: u32) {
        let registers =
            [(QUEUE_SIZE, size), (0x080, descriptors), (0x090, available), (0x0a0, used)];
        for (register, value) in registers.into_iter().chain([(READY, 1)]) {
            self.write(register, value);
        }
    }

    fn write(&self, register: u32, value: u32) {
        // SAFETY: allocated in `new`.
        let memory = unsafe { GuestMemory::new(self.base, SIZE.into()) };
        self.disk.write(memory, register, value, || self.raised.set(self.raised.get() + 1));
    }

    fn put(&self, address: u32, bytes: &[u8]) {
        assert!(address + bytes.len() as u32 <= SIZE);
        // SAFETY: in guest memory.
        unsafe { self.base.add(address as usize).copy_from(bytes.as_ptr(), bytes.len()) };
    }

    fn get<const N: usize>(&self, address: u32) -> [u8; N] {
        // SAFETY: in guest memory.
        unsafe { self.base.add(address as usize).cast::<[u8; N]>().read() }
    }

    fn describe(&self, n: u16, address: u64, len: u32, flags: u16, next: u16) {
        let at = DESCRIPTORS + 16 * u32::from(n);
        self.put(at, &address.to_le_bytes());
        self.put(at + 8, &len.to_le_bytes());
        self.put(at + 12, &flags.to_le_bytes());
        self.put(at + 14, &next.to_le_bytes());
    }

    /// Hand over the chain that begins with descriptor `head`.
    fn offer(&mut self, head: u16) {
        self.put(AVAILABLE + 4 + 2 * u32::from(self.next % 16), &head.to_le_bytes());
        self.next = self.next.wrapping_add(1);
        self.put(AVAILABLE + 2, &self.next.to_le_bytes());
        self.write(NOTIFY, 0);
    }

    /// A request with a part of each length; its answer, and how much was written into it.
    fn request(&mut self, kind: u32, sector: u64, lens: &[u32], flags: u16) -> (u8, u32) {
        self.put(BUFFERS, &kind.to_le_bytes());
        self.put(BUFFERS + 8, &sector.to_le_bytes());
        self.describe(0, BUFFERS.into(), 16, NEXT, 1);
        let (mut n, mut at) = (1, BUFFERS + 16);
        for len in lens {
            self.describe(n, at.into(), *len, flags | NEXT, n + 1);
            (n, at) = (n + 1, at + len);
        }
        self.put(at, &[0xff]);
        self.describe(n, at.into(), 1, WRITE, 0);
        self.offer(0);
        let used = u16::from_le_bytes(self.get(USED + 2));
        assert_eq!(used, self.next, "one answer for each request");
        let element = USED + 4 + 8 * u32::from(used.wrapping_sub(1) % 16);
        assert_eq!(u32::from_le_bytes(self.get(element)), 0);
        ([self.get::<1>(at)[0]][0], u32::from_le_bytes(self.get(element + 4)))
    }

    fn needs_reset(&self) -> bool {
        self.disk.read(STATUS, 4) & NEEDS_RESET != 0
    }
}

#[test]
fn sectors_are_read_and_written_in_parts_of_any_length() {
    let mut machine = Machine::new(8, false);
    assert_eq!(machine.request(0, 3, &[1, 511, 1000, 24], WRITE), (0, 1537));
    assert_eq!(machine.get::<1536>(BUFFERS + 16)[..512], [3; 512]);
    assert_eq!(machine.get::<1536>(BUFFERS + 16)[512..1024], [4; 512]);
    assert_eq!(machine.get::<1536>(BUFFERS + 16)[1024..], [5; 512]);
    machine.put(BUFFERS + 16, &[0x77; 1024]);
    assert_eq!(machine.request(1, 6, &[1000, 24], 0), (0, 1));
    assert_eq!(machine.disk.device.backend.bytes.borrow()[6 * SECTOR..], [0x77; 1024]);
    assert_eq!(machine.request(4, 0, &[], 0), (0, 1));
    assert_eq!(machine.disk.device.backend.flushed.get(), 1);
}

#[test]
fn requests_that_the_disk_cannot_do_are_answered_with_errors() {
    let mut machine = Machine::new(8, false);
    assert_eq!(machine.request(0, 7, &[1024], WRITE), (1, 1), "beyond the end");
    assert_eq!(machine.request(0, 0, &[100], WRITE), (1, 1), "no whole sector");
    assert_eq!(machine.request(0, u64::MAX / 512, &[512], WRITE), (1, 1), "wraps around");
    assert_eq!(machine.request(1, u64::MAX, &[512], 0), (1, 1), "wraps around");
    assert_eq!(machine.request(99, 0, &[512], WRITE), (2, 1), "unknown");
    assert_eq!(machine.request(8, 0, &[20], WRITE), (0, 21), "the name");
    assert_eq!(machine.request(8, 0, &[5], WRITE), (0, 6), "a part of the name");
    let mut machine = Machine::new(8, true);
    assert_eq!(machine.request(1, 0, &[512], 0), (1, 1), "read-only");
    assert_eq!(machine.request(0, 0, &[512], WRITE), (0, 513));
}

#[test]
fn numbers_of_requests_wrap_around() {
    let mut machine = Machine::new(8, false);
    for _ in 0..if cfg!(miri) { 20 } else { 70_000 } {
        assert_eq!(machine.request(4, 0, &[], 0), (0, 1));
    }
}

#[test]
fn malformed_chains_stop_the_queue() {
    let header = |machine: &Machine, flags| machine.describe(0, BUFFERS.into(), 16, flags, 1);
    type Describe = fn(&Machine);
    let cases: [(&str, Describe); 9] = [
        ("a loop", |m| m.describe(1, BUFFERS.into(), 1, WRITE | NEXT, 1)),
        ("a descriptor that is none", |m| m.describe(1, BUFFERS.into(), 1, WRITE | NEXT, 16)),
        ("memory that is none", |m| m.describe(1, SIZE.into(), 1, WRITE, 0)),
        ("the first pages", |m| m.describe(1, 0, 1, WRITE, 0)),
        ("an end that is none", |m| m.describe(1, (SIZE - 1).into(), 2, WRITE, 0)),
        ("an address that wraps around", |m| m.describe(1, u64::MAX, 2, WRITE, 0)),
        ("a length that wraps around", |m| m.describe(1, START.into(), u32::MAX, WRITE, 0)),
        ("no place for the answer", |m| m.describe(1, BUFFERS.into(), 0, WRITE, 0)),
        ("something to read behind something to write", |m| {
            m.describe(1, BUFFERS.into(), 1, WRITE | NEXT, 2);
            m.describe(2, BUFFERS.into(), 1, 0, 0);
        }),
    ];
    for (what, describe) in cases {
        let mut machine = Machine::new(8, false);
        header(&machine, NEXT);
        describe(&machine);
        machine.offer(0);
        assert!(machine.needs_reset(), "{what}");
        assert_eq!(machine.disk.read(READY, 4), 0, "{what}");
        assert_eq!(machine.raised.get(), 0, "{what}");
    }
    for (what, flags, len) in [("nothing to write", 0, 16), ("half a header", NEXT, 15)] {
        let mut machine = Machine::new(8, false);
        machine.describe(0, BUFFERS.into(), len, flags, 1);
        machine.describe(1, BUFFERS.into(), 1, WRITE, 0);
        machine.offer(0);
        assert!(machine.needs_reset(), "{what}");
    }
    let mut machine = Machine::new(8, false);
    machine.offer(0xffff);
    assert!(machine.needs_reset(), "a head that is none");
}

#[test]
fn queues_that_cannot_be_are_not_used() {
    let queues = [
        (0, DESCRIPTORS, AVAILABLE, USED),
        (3, DESCRIPTORS, AVAILABLE, USED),
        (256, DESCRIPTORS, AVAILABLE, USED),
        (16, DESCRIPTORS + 8, AVAILABLE, USED),
        (16, DESCRIPTORS, AVAILABLE + 1, USED),
        (16, DESCRIPTORS, AVAILABLE, USED + 2),
        (16, 0, AVAILABLE, USED),
        (16, DESCRIPTORS, u32::MAX - 1, USED),
        (16, DESCRIPTORS, AVAILABLE, SIZE - 4),
        (16, SIZE - 16, AVAILABLE, USED),
    ];
    for queue in queues {
        let mut machine = Machine::new(8, false);
        let (size, descriptors, available, used) = queue;
        machine.set_queue(size, descriptors, available, used);
        machine.offer(0);
        assert!(machine.needs_reset(), "{queue:?}");
        machine.write(STATUS, 0);
        assert!(!machine.needs_reset());
        machine.next = 0;
        machine.put(AVAILABLE + 2, &[0; 2]);
        machine.set_queue(16, DESCRIPTORS, AVAILABLE, USED);
        assert_eq!(machine.request(4, 0, &[], 0), (0, 1), "after a reset");
    }
}

#[test]
fn interrupts_are_raised_unless_the_driver_wants_none() {
    let mut machine = Machine::new(8, false);
    machine.request(4, 0, &[], 0);
    assert_eq!((machine.raised.get(), machine.disk.read(INTERRUPT, 4)), (1, 1));
    machine.write(ACKNOWLEDGE, 1);
    assert_eq!(machine.disk.read(INTERRUPT, 4), 0);
    machine.write(NOTIFY, 0);
    assert_eq!(machine.raised.get(), 1, "there was nothing to do");
    machine.put(AVAILABLE, &[1, 0]);
    machine.request(4, 0, &[], 0);
    assert_eq!((machine.raised.get(), machine.disk.read(INTERRUPT, 4)), (1, 0));
}

#[test]
fn registers_tell_what_the_device_is() {
    let machine = Machine::new(8, true);
    let read = |register, size| machine.disk.read(register, size);
    assert_eq!([read(0, 4), read(4, 4), read(8, 4)], [u32::from_le_bytes(*b"virt"), 2, 2]);
    let features = [0, 1, 2].map(|word| {
        machine.write(0x014, word);
        read(0x010, 4)
    });
    assert_eq!(features, [1 << 2 | 1 << 5 | 1 << 9, 1, 0]);
    assert_eq!([read(0x100, 4), read(0x104, 4), read(0x100, 1)], [8, 0, 8], "whole sectors");
    assert_eq!([read(0x10c, 4), read(0x110, 4), read(u32::MAX, 4)], [126, 0, 0]);
    machine.write(0x030, 1);
    assert_eq!([read(0x034, 4), read(READY, 4)], [0, 0], "there is one queue");
}

#[test]
fn random_descriptors_do_no_harm() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut machine = Machine::new(8, false);
    for _ in 0..if cfg!(miri) { 50 } else { 200_000 } {
        for n in 0..4 {
            let address = match random() % 4 {
                0 => random(),
                1 => random() & u64::from(u32::MAX),
                _ => u64::from(BUFFERS) + random() % 8192,
            };
            let len = [random() as u32, 16, 512, 1, 0][random() as usize % 5];
            machine.describe(n, address, len, random() as u16 & 3, random() as u16 % 5);
        }
        machine.put(BUFFERS, &((random() % 10) as u32).to_le_bytes());
        machine.put(BUFFERS + 8, &(random() % 10).to_le_bytes());
        machine.offer(random() as u16 % 5);
        if machine.needs_reset() {
            machine.write(STATUS, 0);
            machine.next = 0;
            machine.put(AVAILABLE, &[0; 4]);
            machine.set_queue(16, DESCRIPTORS, AVAILABLE, USED);
        }
    }
}
