//! The pending word of a vCPU: the guest's whole interrupt controller.
//!
//! The kernel has one such word per vCPU, in an array of [`STRIDE`] bytes per entry. Whoever wants
//! attention sets bits atomically, then kicks the vCPU; the kernel takes them with one exchange.

/// Distance of the words of two vCPUs in bytes (one cache line).
pub const STRIDE: u32 = 64;

/// The vCPU's timer went off.
pub const TIMER: u32 = 1 << 0;
/// Another vCPU asks this one to reschedule.
pub const RESCHEDULE: u32 = 1 << 1;
/// Another vCPU queued a function call.
pub const CALL: u32 = 1 << 2;
/// Another vCPU asks this one to stop.
pub const STOP: u32 = 1 << 3;
/// Device line 0 is this bit, line n is n bits further up.
pub const DEVICE_SHIFT: u32 = 8;
/// Number of device lines.
pub const DEVICE_LINES: u32 = 24;

/// The bits of all device lines.
pub const ALL_DEVICES: u32 =
    ((1 << DEVICE_LINES) - 1) << DEVICE_SHIFT & !(1 << (DEVICE_SHIFT + LINE_FREEZE));

/// Line of the console and of the host's standard streams.
pub const LINE_STDIO: u32 = 0;
/// First line for virtio devices.
pub const LINE_VIRTIO: u32 = 1;
/// Line on which the host asks the machine to end.
pub const LINE_SHUTDOWN: u32 = DEVICE_LINES - 1;
/// Line on which the host asks the machine to freeze.
pub const LINE_FREEZE: u32 = DEVICE_LINES - 2;
