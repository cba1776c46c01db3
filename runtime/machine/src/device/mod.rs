//! The devices of the machine.

pub mod console;
pub mod signals;
pub mod virtio;
