//! vCPUs and their timers.

pub mod timer;
pub mod vcpu;
