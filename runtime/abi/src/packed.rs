//! A compressed boot binary: what the builder puts into it for `linnet-unpack` to find.

/// Symbol of the [`Packed`] boot binary.
pub const SYMBOL: &str = "linnet_packed";

/// Where the file that holds the compressed one is linked: above all that boot binaries use below 4 GiB.
pub const BASE: u64 = 0x4000_0000;

/// A boot binary. Pointers are host addresses, lengths are in bytes.
#[repr(C)]
#[derive(Debug)]
pub struct Packed {
    /// Address of the first instruction.
    pub entry: u64,
    /// Start and end of the memory that it needs, at boundaries of its largest pages.
    pub start: u64,
    pub end: u64,
    pub segments: *const Segment,
    pub segment_count: u64,
}

/// A part of the boot binary's memory. The parts share no page.
#[repr(C)]
#[derive(Debug)]
pub struct Segment {
    pub address: u64,
    /// Of the contents. The rest is zeros.
    pub len: u64,
    /// The contents, compressed (RFC 1951).
    pub packed: *const u8,
    pub packed_len: u64,
    /// Start and end of its pages.
    pub first_page: u64,
    pub end_page: u64,
    /// As for mprotect(2).
    pub protection: u64,
}
