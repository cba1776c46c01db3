//! Numbers of a file system device: section 5.11.

/// Queues: that of requests nobody waits for, and that of all others.
pub const QUEUES: usize = 2;

/// Bytes of the name by which the driver finds the device.
pub const TAG_SIZE: usize = 36;
