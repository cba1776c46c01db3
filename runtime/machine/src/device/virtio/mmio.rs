//! The registers of a device, and when it is told to work.

use super::queue::{MAX_SIZE, Malformed, OpenQueue, Queue};
use crate::host::lock::SpinLock;
use crate::memory::physical::GuestMemory;
use core::sync::atomic::{AtomicU32, Ordering};

const MAGIC: u32 = u32::from_le_bytes(*b"virt");
const VERSION: u32 = 2;
const VENDOR: u32 = u32::from_le_bytes(*b"Lnnt");

/// Offsets of registers: table 4.1.
mod register {
    pub const MAGIC: u32 = 0x000;
    pub const VERSION: u32 = 0x004;
    pub const DEVICE_ID: u32 = 0x008;
    pub const VENDOR_ID: u32 = 0x00c;
    pub const DEVICE_FEATURES: u32 = 0x010;
    pub const DEVICE_FEATURES_SELECT: u32 = 0x014;
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

/// Feature bit 32: the device is none of before version 1.0.
const FEATURE_VERSION_1: u64 = 1 << 32;

/// In the status: the device met something that it cannot go on from.
const STATUS_NEEDS_RESET: u32 = 64;

const INTERRUPT_USED: u32 = 1;

/// What a kind of device has of its own.
pub trait Device {
    /// Number of the kind: section 5.
    const ID: u32;

    /// Feature bits besides those of all devices.
    fn features(&self) -> u64;

    /// Bytes of the configuration space.
    fn configuration(&self, offset: u32, size: u32) -> u32;

    /// Do the requests of a queue. Whether the driver wants to know of it.
    fn serve(&self, queue: &mut OpenQueue) -> Result<bool, Malformed>;
}

/// What the driver wrote.
#[derive(Debug)]
struct Registers {
    features_select: u32,
    queue_select: u32,
    status: u32,
    queue: Queue,
}

impl Registers {
    const NEW: Registers = Registers {
        features_select: 0,
        queue_select: 0,
        status: 0,
        queue: Queue { size: 0, ready: false, descriptors: 0, available: 0, used: 0, taken: 0 },
    };
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
            return self.device.configuration(offset - register::CONFIGURATION, size);
        }
        let registers = self.registers.lock();
        let is_queue = registers.queue_select == 0;
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
            register::QUEUE_SIZE_MAX if is_queue => MAX_SIZE.into(),
            register::QUEUE_READY if is_queue => registers.queue.ready.into(),
            register::INTERRUPT_STATUS => self.interrupt.load(Ordering::SeqCst),
            register::STATUS => registers.status,
            _ => 0,
        }
    }

    /// Write a register; `raise` raises the interrupt line.
    pub fn write(&self, memory: GuestMemory, offset: u32, value: u32, raise: impl Fn()) {
        if offset == register::QUEUE_NOTIFY {
            return self.serve(memory, raise);
        }
        if offset == register::INTERRUPT_ACKNOWLEDGE {
            self.interrupt.fetch_and(!value, Ordering::SeqCst);
            return;
        }
        let mut registers = self.registers.lock();
        let is_queue = registers.queue_select == 0;
        match offset {
            register::DEVICE_FEATURES_SELECT => registers.features_select = value,
            register::QUEUE_SELECT => registers.queue_select = value,
            register::QUEUE_SIZE if is_queue => registers.queue.size = value as u16,
            register::QUEUE_DESCRIPTORS if is_queue => registers.queue.descriptors = value,
            register::QUEUE_AVAILABLE if is_queue => registers.queue.available = value,
            register::QUEUE_USED if is_queue => registers.queue.used = value,
            register::QUEUE_READY if is_queue => {
                registers.queue.ready = value == 1;
                registers.queue.taken = 0;
            }
            register::STATUS => {
                registers.status = value;
                if value == 0 {
                    *registers = Registers::NEW;
                    self.interrupt.store(0, Ordering::SeqCst);
                }
            }
            _ => {}
        }
    }

    /// Do all that the driver asks for. One vCPU does it; what others ask for meanwhile it does as well.
    fn serve(&self, memory: GuestMemory, raise: impl Fn()) {
        if self.notified.fetch_add(1, Ordering::AcqRel) != 0 {
            return;
        }
        let mut seen = 1;
        loop {
            if self.serve_once(memory) {
                self.interrupt.fetch_or(INTERRUPT_USED, Ordering::SeqCst);
                raise();
            }
            let done = self.notified.compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire);
            match done {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    /// Do what is in the queue; whether the driver is to know of it.
    fn serve_once(&self, memory: GuestMemory) -> bool {
        let queue = self.registers.lock().queue;
        let (result, taken) = match queue.open(memory) {
            Some(mut open) => (self.device.serve(&mut open), open.taken()),
            None => (Err(Malformed), queue.taken),
        };
        let mut registers = self.registers.lock();
        if registers.queue.ready {
            registers.queue.taken = taken;
            if result.is_err() {
                registers.status |= STATUS_NEEDS_RESET;
                registers.queue.ready = false;
            }
        }
        result == Ok(true)
    }
}
