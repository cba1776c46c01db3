//! Numbers of the devices, and their interrupt lines. Disks come first.

use super::disks::MAX_DISKS;
use crate::cpu::vcpu;
use linnet_abi::irq;
use linnet_share::options::MAX_SHARES;

/// The network's number.
pub const NETWORK: u32 = MAX_DISKS as u32;

/// The first one of shared folders.
pub const SHARES: u32 = NETWORK + 1;

const _: () = assert!(
    irq::LINE_VIRTIO + SHARES + MAX_SHARES as u32 <= irq::LINE_FREEZE,
    "each device has a line"
);

/// Interrupt line of a device.
pub fn line(device: u32) -> u32 {
    irq::DEVICE_SHIFT + irq::LINE_VIRTIO + device
}

/// Raise the interrupt line of a device.
pub fn raise(device: u32) {
    vcpu::first().interrupt(1 << line(device));
}
