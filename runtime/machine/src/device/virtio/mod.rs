//! Virtio devices (Virtual I/O Device version 1.2, <https://docs.oasis-open.org/virtio/virtio/v1.2>).
//!
//! | file    | what it is                                                                   |
//! |---------|------------------------------------------------------------------------------|
//! | `mmio`  | the registers of a device: section 4.2                                       |
//! | `queue` | buffers that the driver hands over: section 2.7                              |
//! | `block` | a disk: section 5.2                                                          |
//!
//! Everything that a driver writes is checked: a wrong address or length ends the request or stops the
//! queue, and nothing of the host is touched.

mod block;
mod mmio;
mod queue;

pub use block::{MAX_DISKS, attach, detach_all};
pub use mmio::{read, write};

use core::fmt;

/// Bus address of the registers of device 0, above all memory that a guest can have.
const BASE: u32 = 0xf000_0000;

/// Distance of the registers of two devices.
const SIZE: u32 = 0x200;

/// Tell the kernel of the devices (Documentation/admin-guide/kernel-parameters.txt, virtio_mmio.device).
pub fn kernel_arguments(to: &mut impl fmt::Write) -> fmt::Result {
    use linnet_abi::irq;
    for n in 0..block::count() {
        let irq = irq::DEVICE_SHIFT + irq::LINE_VIRTIO + n;
        write!(to, " virtio_mmio.device={SIZE:#x}@{:#x}:{irq}", BASE + n * SIZE)?;
    }
    Ok(())
}
