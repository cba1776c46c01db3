//! The registers of a device, and when it is told to work.

use crate::host::lock::SpinLock;
use crate::memory::physical::GuestMemory;
use core::sync::atomic::{AtomicU32, Ordering};
use linnet_virtio::queue::{MAX_SIZE, Malformed, OpenQueue, Queue};
use linnet_virtio::vhost::FEATURE_VERSION_1;

const MAGIC: u32 = u32::from_le_bytes(*b"virt");
const VERSION: u32 = 2;
const VENDOR: u32 = u32::from_le_bytes(*b"Lnnt");

/// Offsets of registers: table 4.1.
pub(super) mod register {
    pub const MAGIC: u32 = 0x000;
    pub const VERSION: u32 = 0x004;
    pub const DEVICE_ID: u32 = 0x008;
    pub const VENDOR_ID: u32 = 0x00c;
    pub const DEVICE_FEATURES: u32 = 0x010;
    pub const DEVICE_FEATURES_SELECT: u32 = 0x014;
    pub const DRIVER_FEATURES: u32 = 0x020;
    pub const DRIVER_FEATURES_SELECT: u32 = 0x024;
    pub const QUEUE_SELECT: u32 = 0x030;
    pub const QUEUE_SIZE_MAX: u32 = 0x034;
    pub const QUEUE_SIZE: u32 = 0x038;
    pub const QUEUE_READY: u32 = 0x044;
    pub const QUEUE_NOTIFY: u32 = 0x050;
    pub const INTERRUPT_STATUS: u32 = 0x060;
    pub const INTERRUPT_ACKNOWLEDGE: u32 = 0x064;
    pub const STATUS: u32 = 0x070;
    pub const QUEUE_DESCRIPTORS: u32 = 0x080;
    pub const QUEUE_AVAILABLE: u32 = 0x090;
    pub const QUEUE_USED: u32 = 0x0a0;
    pub const CONFIGURATION: u32 = 0x100;
}

/// In the status: the device met something that it cannot go on from.
const STATUS_NEEDS_RESET: u32 = 64;
/// In the status: the driver begins to use the device.
const STATUS_DRIVER_OK: u32 = 4;

const INTERRUPT_USED: u32 = 1;
const INTERRUPT_CONFIGURATION: u32 = 2;

/// Most queues of a device.
const MAX_QUEUES: usize = 2;

/// What a kind of device has of its own.
pub trait Device {
    /// Number of the kind: section 5.
    const ID: u32;

    /// Number of queues.
    const QUEUES: usize = 1;

    /// Feature bits besides those of all devices.
    fn features(&self) -> u64;

    /// Byte `at` of the configuration space, if there is one.
    fn configuration(&self, at: usize) -> Option<u8>;

    /// Do the requests of a queue that no other process serves. Whether the driver wants to know of it.
    fn serve(&self, queue: &mut OpenQueue) -> Result<bool, Malformed>;

    /// The driver begins, with the features that it has chosen.
    fn begin(&self, _features: u64, _queues: &[Queue]) {}

    /// The driver has reset the device: its queues are not used any more after this.
    fn end(&self) {}

    /// There is something new in a queue. Whether another process serves it.
    fn kick(&self, _queue: u32) -> bool {
        false
    }
}

/// What the driver wrote.
#[derive(Debug)]
struct Registers {
    features_select: u32,
    driver_features_select: u32,
    driver_features: u64,
    queue_select: u32,
    status: u32,
    queues: [Queue; MAX_QUEUES],
}

impl Registers {
    const NEW: Registers = Registers {
        features_select: 0,
        driver_features_select: 0,
        driver_features: 0,
        queue_select: 0,
        status: 0,
        queues: [Queue { size: 0, ready: false, descriptors: 0, available: 0, used: 0, taken: 0 };
            MAX_QUEUES],
    };

    /// The queue that the driver has selected, if there is one.
    fn queue(&mut self, count: usize) -> Option<&mut Queue> {
        self.queues[..count].get_mut(self.queue_select as usize)
    }
}

/// A device with its registers.
pub struct Mmio<D> {
    pub device: D,
    registers: SpinLock<Registers>,
    interrupt: AtomicU32,
    /// Notifications since the queue was last seen empty.
    notified: AtomicU32,
}

impl<D: Device> Mmio<D> {
    pub const fn new(device: D) -> Mmio<D> {
        Mmio {
            device,
            registers: SpinLock::new(Registers::NEW),
            interrupt: AtomicU32::new(0),
            notified: AtomicU32::new(0),
        }
    }

    /// Read a register. 0 where there is none.
    pub fn read(&self, offset: u32, size: u32) -> u32 {
        if offset >= register::CONFIGURATION {
            let start = (offset - register::CONFIGURATION) as usize;
            let byte = |i: u32| self.device.configuration(start + i as usize).unwrap_or(0);
            return (0..size.min(4)).fold(0, |value, i| value | u32::from(byte(i)) << (8 * i));
        }
        let mut registers = self.registers.lock();
        match offset {
            register::MAGIC => MAGIC,
            register::VERSION => VERSION,
            register::DEVICE_ID => D::ID,
            register::VENDOR_ID => VENDOR,
            register::DEVICE_FEATURES => {
                let features = FEATURE_VERSION_1 | self.device.features();
                match registers.features_select {
                    0 => features as u32,
                    1 => (features >> 32) as u32,
                    _ => 0,
                }
            }
            register::QUEUE_SIZE_MAX => registers.queue(D::QUEUES).map_or(0, |_| MAX_SIZE.into()),
            register::QUEUE_READY => registers.queue(D::QUEUES).map_or(0, |it| it.ready.into()),
            register::INTERRUPT_STATUS => self.interrupt.load(Ordering::SeqCst),
            register::STATUS => registers.status,
            _ => 0,
        }
    }

    /// Write a register; `raise` raises the interrupt line.
    pub fn write(&self, memory: GuestMemory, offset: u32, value: u32, raise: impl Fn()) {
        if offset == register::QUEUE_NOTIFY {
            if !self.device.kick(value) {
                self.serve(memory, raise);
            }
            return;
        }
        if offset == register::INTERRUPT_ACKNOWLEDGE {
            self.interrupt.fetch_and(!value, Ordering::SeqCst);
            return;
        }
        if offset == register::STATUS {
            return self.set_status(value);
        }
        let mut registers = self.registers.lock();
        match offset {
            register::DEVICE_FEATURES_SELECT => registers.features_select = value,
            register::DRIVER_FEATURES_SELECT => registers.driver_features_select = value,
            register::DRIVER_FEATURES => {
                let shift = match registers.driver_features_select {
                    0 => 0,
                    1 => 32,
                    _ => return,
                };
                registers.driver_features &= !(u64::from(u32::MAX) << shift);
                registers.driver_features |= u64::from(value) << shift;
            }
            register::QUEUE_SELECT => registers.queue_select = value,
            _ => {
                if let Some(queue) = registers.queue(D::QUEUES) {
                    set_queue(queue, offset, value);
                }
            }
        }
    }

    fn set_status(&self, value: u32) {
        let mut registers = self.registers.lock();
        if value == 0 {
            *registers = Registers::NEW;
            drop(registers);
            self.device.end();
            self.interrupt.store(0, Ordering::SeqCst);
            return;
        }
        let begins = value & !registers.status & STATUS_DRIVER_OK != 0;
        registers.status = value;
        let (features, queues) = (registers.driver_features, registers.queues);
        drop(registers);
        if begins {
            let offered = FEATURE_VERSION_1 | self.device.features();
            self.device.begin(features & offered, &queues[..D::QUEUES]);
        }
    }

    /// Requests came back to the driver: say so.
    pub fn tell_used(&self, raise: impl Fn()) {
        self.interrupt.fetch_or(INTERRUPT_USED, Ordering::SeqCst);
        raise();
    }

    /// The configuration has changed: say so.
    pub fn tell_configuration(&self, raise: impl Fn()) {
        self.interrupt.fetch_or(INTERRUPT_CONFIGURATION, Ordering::SeqCst);
        raise();
    }

    /// Do all that the driver asks for. One vCPU does it; what others ask for meanwhile it does as well.
    pub(super) fn serve(&self, memory: GuestMemory, raise: impl Fn()) {
        if self.notified.fetch_add(1, Ordering::AcqRel) != 0 {
            return;
        }
        let mut seen = 1;
        loop {
            if self.serve_once(memory) {
                self.tell_used(&raise);
            }
            let done = self.notified.compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire);
            match done {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// Do what is in the queues; whether the driver is to know of it.
    fn serve_once(&self, memory: GuestMemory) -> bool {
        let mut is_to_know = false;
        for n in 0..D::QUEUES {
            is_to_know |= self.serve_queue(memory, n);
        }
        is_to_know
    }

    fn serve_queue(&self, memory: GuestMemory, n: usize) -> bool {
        let queue = self.registers.lock().queues[n];
        let (result, taken) = match queue.open(memory) {
            Some(mut open) => (self.device.serve(&mut open), open.taken()),
            None => (Err(Malformed), queue.taken),
        };
        let mut registers = self.registers.lock();
        if registers.queues[n].ready {
            registers.queues[n].taken = taken;
            if result.is_err() {
                registers.status |= STATUS_NEEDS_RESET;
                registers.queues[n].ready = false;
            }
        }
        result == Ok(true)
    }
}

fn set_queue(queue: &mut Queue, offset: u32, value: u32) {
    match offset {
        register::QUEUE_SIZE => queue.size = value as u16,
        register::QUEUE_DESCRIPTORS => queue.descriptors = value,
        register::QUEUE_AVAILABLE => queue.available = value,
        register::QUEUE_USED => queue.used = value,
        register::QUEUE_READY => {
            queue.ready = value == 1;
            queue.taken = 0;
        }
        _ => {}
    }
}
