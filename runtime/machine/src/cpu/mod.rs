//! vCPUs, their threads and their timers.

pub mod thread;
pub mod timer;
pub mod vcpu;
