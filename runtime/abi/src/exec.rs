//! The program file: how the kernel recognises a program whose native code is in the boot binary.
//!
//! A program file is a valid WebAssembly module whose first section is a custom section named
//! [`SECTION`]. The header lies at a fixed file offset, so that the kernel reads it from the first
//! bytes of the file; the initial memory image lies at an aligned file offset, so that it can be
//! mapped. The module's other sections may follow or be left out: the kernel does not read them.

/// Name of the custom section.
pub const SECTION: &str = "linnet.exec";

/// File offset of [`ExecHeader`]: 8 bytes of module header, section id, size as a 5-byte LEB128,
/// name length, name, zeros.
pub const HEADER_OFFSET: usize = 32;

/// Alignment of the memory image in the file and in memory. The kernel maps it if this is a
/// multiple of its page size and reads it otherwise.
pub const IMAGE_ALIGN: u32 = 16384;

/// What the kernel must know of a program. All fields are little-endian.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecHeader {
    /// SHA-256 of the module that was translated.
    pub id: [u8; 32],
    /// [`crate::ABI_VERSION`].
    pub abi_version: u32,
    /// Address of the first byte of the memory image; a multiple of [`IMAGE_ALIGN`].
    pub image_address: u32,
    /// File offset of the image; a multiple of [`IMAGE_ALIGN`].
    pub image_offset: u32,
    /// Bytes of the image in the file. What follows it up to `memory_end` is zero.
    pub image_size: u32,
    /// End of static data in memory.
    pub memory_end: u32,
    /// Where the program's break starts (the module's `__heap_base`).
    pub heap_base: u32,
    /// Not used; zero.
    pub reserved: [u32; 2],
}

/// Size of the header in bytes.
pub const HEADER_SIZE: usize = core::mem::size_of::<ExecHeader>();
