//! What the linker step puts into a boot binary for the runtime to find.

use crate::module::Module;

/// Symbol of the [`BootImage`] in the object that the linker step writes.
pub const SYMBOL: &str = "linnet_boot_image";

/// The contents of a boot binary. Pointers are host addresses, lengths are in bytes.
#[repr(C)]
#[derive(Debug)]
pub struct BootImage {
    pub abi_version: u32,
    /// Number of entries of `programs`.
    pub program_count: u32,
    pub kernel: *const Module,
    /// Sorted by [`Module::id`].
    pub programs: *const *const Module,
    /// An initramfs (newc cpio, possibly compressed), or null.
    pub initrd: *const u8,
    pub initrd_size: u64,
    /// Kernel arguments that come before those of the command line.
    pub append: *const u8,
    pub append_size: u64,
    /// Disks that come before those of the command line: `FILE` or `FILE,ro`, each with a NUL at its end.
    pub disks: *const u8,
    pub disks_size: u64,
    /// Guest memory in bytes if the command line does not say.
    pub memory: u64,
    /// A snapshot to start as, or null.
    pub snapshot: *const u8,
    pub snapshot_size: u64,
}

/// What the kernel and its first process are told where a machine starts as a snapshot that was made for that. The
/// kernel gives its address to the host call `snapshot`.
#[repr(C)]
#[derive(Debug)]
pub struct Start {
    /// Bytes of `text` that there are.
    pub size: u32,
    pub input_is_terminal: u32,
    /// The standard stream that the console writes to.
    pub console: u32,
    /// `NAME=value` of an environment, an empty string, and the words of a command; each ends with a NUL.
    pub text: [u8; START_SIZE as usize - 12],
}

/// Bytes of [`Start`], a power of two.
pub const START_SIZE: u32 = 1 << 16;
