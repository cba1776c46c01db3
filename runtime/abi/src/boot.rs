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
}
