//! Virtio devices (Virtual I/O Device version 1.2, <https://docs.oasis-open.org/virtio/virtio/v1.2>).
//!
//! | file    | what it is                                                                   |
//! |---------|------------------------------------------------------------------------------|
//! | `queue` | buffers that the driver hands over: section 2.7                              |
//! | `mmio`  | the registers of a device: section 4.2                                       |
//! | `block` | a disk: section 5.2                                                          |
//! | `disks` | those of the machine, with the host's files behind them                      |
//!
//! Everything that a driver writes is checked: a wrong address or length ends the request or stops the
//! queue, and nothing of the host is touched.

mod block;
mod disks;
mod mmio;
mod queue;
#[cfg(test)]
mod tests;

pub use disks::{MAX_DISKS, attach, descriptors, kernel_arguments, read, sizes, write};
