//! Where the devices are: addresses of their registers.

use super::disks;
use super::lines::{NETWORK, SHARES, line, raise};
use super::{net, shares};
use crate::memory::physical::guest_memory;
use core::fmt;

/// Bus address of the registers of device 0, above all memory that a guest can have.
const BASE: u32 = 0xf000_0000;

/// Distance of the registers of two devices.
const SIZE: u32 = 0x200;

/// Tell the kernel of the devices (Documentation/admin-guide/kernel-parameters.txt, virtio_mmio.device).
pub fn kernel_arguments(to: &mut impl fmt::Write) -> fmt::Result {
    let network = net::device().map(|_| NETWORK);
    let shares = SHARES..SHARES + shares::count();
    for n in (0..disks::count()).chain(network).chain(shares) {
        write!(to, " virtio_mmio.device={SIZE:#x}@{:#x}:{}", BASE + n * SIZE, line(n))?;
    }
    Ok(())
}

/// Number of the device at a bus address, and the offset of the register.
fn find(address: u32) -> Option<(u32, u32)> {
    let offset = address.checked_sub(BASE)?;
    Some((offset / SIZE, offset % SIZE))
}

/// Read a register. All ones where there is no device, as on a bus.
pub fn read(address: u32, size: u32) -> u32 {
    let value = match find(address) {
        Some((NETWORK, offset)) => net::device().map(|device| device.read(offset, size)),
        Some((n @ SHARES.., offset)) => shares::read(n - SHARES, offset, size),
        Some((n, offset)) => disks::disk(n).map(|device| device.read(offset, size)),
        None => None,
    };
    value.unwrap_or(u32::MAX)
}

/// Write a register.
pub fn write(address: u32, _size: u32, value: u32) {
    let Some((n, offset)) = find(address) else { return };
    let raise = || raise(n);
    if n == NETWORK {
        if let Some(device) = net::device() {
            device.write(guest_memory(), offset, value, raise);
        }
    } else if n >= SHARES {
        if let Some(device) = shares::share(n - SHARES) {
            device.write(guest_memory(), offset, value, raise);
        }
    } else if let Some(device) = disks::disk(n) {
        device.write(guest_memory(), offset, value, raise);
    }
}
