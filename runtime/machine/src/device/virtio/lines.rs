//! Numbers of the devices, and their interrupt lines. Disks come first.

use super::disks::MAX_DISKS;
use crate::cpu::vcpu;
use linnet_abi::irq;

/// The network's number.
pub const NETWORK: u32 = MAX_DISKS as u32;

/// Interrupt line of a device.
pub fn line(device: u32) -> u32 {
    irq::DEVICE_SHIFT + irq::LINE_VIRTIO + device
}

/// Raise the interrupt line of a device.
pub fn raise(device: u32) {
    vcpu::first().interrupt(1 << line(device));
}
