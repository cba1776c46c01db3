//! The registers of a device.

use super::block::Disk;
use super::queue::{MAX_SIZE, Queue};
use super::{BASE, SIZE, block};
use crate::cpu::vcpu;
use core::sync::atomic::{AtomicU32, Ordering};
use linnet_abi::irq;

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

/// What the driver wrote.
#[derive(Debug)]
pub struct Registers {
    pub features_select: u32,
    pub queue_select: u32,
    pub status: u32,
    pub queue: Queue,
}

impl Registers {
    pub const NEW: Registers = Registers {
        features_select: 0,
        queue_select: 0,
        status: 0,
        queue: Queue { size: 0, ready: false, descriptors: 0, available: 0, used: 0, taken: 0 },
    };
}

/// The interrupt of a device.
#[derive(Debug)]
pub struct Interrupt {
    status: AtomicU32,
}

impl Interrupt {
    pub const fn new() -> Interrupt {
        Interrupt { status: AtomicU32::new(0) }
    }

    fn raise(&self, device: u32) {
        self.status.fetch_or(INTERRUPT_USED, Ordering::SeqCst);
        vcpu::get(0).interrupt(1 << (irq::DEVICE_SHIFT + irq::LINE_VIRTIO + device));
    }
}

/// The device at a bus address, its number, and the offset of the register.
fn find(address: u32) -> Option<(&'static Disk, u32, u32)> {
    let offset = address.checked_sub(BASE)?;
    Some((block::disk(offset / SIZE)?, offset / SIZE, offset % SIZE))
}

/// Read a register. All ones where there is none, as on a bus.
pub fn read(address: u32, size: u32) -> u32 {
    let Some((disk, _, offset)) = find(address) else { return u32::MAX };
    if offset >= register::CONFIGURATION {
        return disk.configuration(offset - register::CONFIGURATION, size);
    }
    let registers = disk.registers.lock();
    let is_queue = registers.queue_select == 0;
    match offset {
        register::MAGIC => MAGIC,
        register::VERSION => VERSION,
        register::DEVICE_ID => block::DEVICE_ID,
        register::VENDOR_ID => VENDOR,
        register::DEVICE_FEATURES => {
            let features = FEATURE_VERSION_1 | disk.features();
            match registers.features_select {
                0 => features as u32,
                1 => (features >> 32) as u32,
                _ => 0,
            }
        }
        register::QUEUE_SIZE_MAX if is_queue => MAX_SIZE.into(),
        register::QUEUE_READY if is_queue => registers.queue.ready.into(),
        register::INTERRUPT_STATUS => disk.interrupt.status.load(Ordering::SeqCst),
        register::STATUS => registers.status,
        _ => 0,
    }
}

/// Write a register.
pub fn write(address: u32, _size: u32, value: u32) {
    let Some((disk, device, offset)) = find(address) else { return };
    if offset == register::QUEUE_NOTIFY {
        return serve(disk, device);
    }
    if offset == register::INTERRUPT_ACKNOWLEDGE {
        disk.interrupt.status.fetch_and(!value, Ordering::SeqCst);
        return;
    }
    let mut registers = disk.registers.lock();
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
                disk.interrupt.status.store(0, Ordering::SeqCst);
            }
        }
        _ => {}
    }
}

/// Do all that the driver asks for. One vCPU does it; what others ask for meanwhile it does as well.
fn serve(disk: &'static Disk, device: u32) {
    if disk.notified.fetch_add(1, Ordering::AcqRel) != 0 {
        return;
    }
    let mut seen = 1;
    loop {
        let mut queue = disk.registers.lock().queue;
        let result = if queue.is_valid() { disk.serve(&mut queue) } else { Err(()) };
        let mut registers = disk.registers.lock();
        if registers.queue.ready {
            registers.queue.taken = queue.taken;
            if result.is_err() {
                registers.status |= STATUS_NEEDS_RESET;
                registers.queue.ready = false;
            }
        }
        drop(registers);
        if result == Ok(true) {
            disk.interrupt.raise(device);
        }
        let done = disk.notified.compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire);
        match done {
            Ok(_) => return,
            Err(now) => seen = now,
        }
    }
}
