//! vCPUs, their threads and their timers.

pub mod deadline;
pub mod slot;
pub mod switch;
pub mod thread;
pub mod timer;
pub mod vcpu;
