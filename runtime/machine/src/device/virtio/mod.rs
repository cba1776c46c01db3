//! Virtio devices (Virtual I/O Device version 1.2, <https://docs.oasis-open.org/virtio/virtio/v1.2>).
//!
//! | file    | what it is                                                                   |
//! |---------|------------------------------------------------------------------------------|
//! | `mmio`  | the registers of a device: section 4.2                                       |
//! | `block` | a disk: section 5.2                                                          |
//! | `disks` | those of the machine, with the host's files behind them                      |
//! | `net`   | a network device, whose queues another process serves: section 5.1           |
//! | `shares` | folders of the host, the same: section 5.11                                 |
//! | `front_end` | how both get their queues served                                         |
//! | `lines` | numbers and interrupt lines                                                  |
//! | `bus`   | addresses                                                                    |
//!
//! Everything that a driver writes is checked: a wrong address or length ends the request or stops the
//! queue, and nothing of the host is touched. The queues themselves are in `linnet-virtio`.

mod block;
mod bus;
mod disks;
pub mod front_end;
mod lines;
mod mmio;
pub mod net;
pub mod shares;
#[cfg(test)]
mod tests;

pub use bus::{kernel_arguments, read, write};
pub use disks::{MAX_DISKS, attach, descriptors, lock, sizes, unlock};
