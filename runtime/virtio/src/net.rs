//! Numbers of a network device.

/// Feature bits.
pub mod feature {
    /// The driver may leave checksums to the device.
    pub const CHECKSUM: u64 = 1 << 0;
    /// The driver takes packets whose checksums are not complete.
    pub const GUEST_CHECKSUM: u64 = 1 << 1;
    pub const MTU: u64 = 1 << 3;
    pub const MAC: u64 = 1 << 5;
    /// The driver takes large TCP segments.
    pub const GUEST_TSO4: u64 = 1 << 7;
    pub const GUEST_TSO6: u64 = 1 << 8;
    /// The driver may send large TCP segments.
    pub const HOST_TSO4: u64 = 1 << 11;
    pub const HOST_TSO6: u64 = 1 << 12;
    /// A packet to the driver may lie in several buffers.
    pub const MERGEABLE_BUFFERS: u64 = 1 << 15;
    /// The configuration says whether the link is up.
    pub const STATUS: u64 = 1 << 16;
}

/// Queues, by number.
pub const RECEIVE: usize = 0;
pub const TRANSMIT: usize = 1;
pub const QUEUES: usize = 2;

/// `struct virtio_net_hdr_v1`, which comes before each packet.
pub const HEADER_SIZE: usize = 12;
/// In its flags: the checksum was looked at.
pub const HEADER_CHECKSUM_VALID: u8 = 2;
/// Where it says how many buffers the packet lies in.
pub const HEADER_BUFFERS: usize = 10;

/// Header of a frame.
pub const ETHERNET_HEADER: usize = 14;
/// The largest packet that a link can be said to have.
pub const MTU_MAX: u16 = 65535;
