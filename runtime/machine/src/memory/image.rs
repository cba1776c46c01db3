//! What the boot binary holds: kernel, programs, root file system.

use core::slice;
use linnet_abi::ABI_VERSION;
use linnet_abi::boot::BootImage;
use linnet_abi::context::GLOBAL_SLOTS;
use linnet_abi::module::{MAGIC, Module};

unsafe extern "C" {
    #[link_name = "linnet_boot_image"]
    static IMAGE: BootImage;
}

/// The boot binary's contents.
pub fn image() -> &'static BootImage {
    // SAFETY: the linker step defines it, and nobody writes it.
    unsafe { &IMAGE }
}

/// The kernel's tables.
pub fn kernel() -> &'static Module {
    // SAFETY: the linker step points at a module's descriptor.
    unsafe { &*image().kernel }
}

fn programs() -> &'static [&'static Module] {
    let image = image();
    if image.program_count == 0 {
        return &[];
    }
    // SAFETY: as many pointers to descriptors as it says.
    unsafe { slice::from_raw_parts(image.programs.cast(), image.program_count as usize) }
}

/// The kernel and all programs.
pub fn modules() -> impl Iterator<Item = &'static Module> {
    core::iter::once(kernel()).chain(programs().iter().copied())
}

/// A program by number, if there are so many.
pub fn program(n: u32) -> Option<&'static Module> {
    programs().get(n as usize).copied()
}

/// Number of the program of an identity.
pub fn find(id: &[u8; 32]) -> Option<u32> {
    programs().binary_search_by(|m| m.id.cmp(id)).ok().map(|n| n as u32)
}

/// The initial root file system.
pub fn initrd() -> &'static [u8] {
    bytes(image().initrd, image().initrd_size)
}

/// Kernel arguments that the binary was built with.
pub fn append() -> &'static str {
    core::str::from_utf8(bytes(image().append, image().append_size)).unwrap_or("")
}

/// Disks that the binary was built with.
pub fn disks() -> impl Iterator<Item = &'static str> {
    let list = core::str::from_utf8(bytes(image().disks, image().disks_size)).unwrap_or("");
    list.split_terminator('\0')
}

fn bytes(start: *const u8, len: u64) -> &'static [u8] {
    if start.is_null() {
        return &[];
    }
    // SAFETY: the linker step wrote the pair.
    unsafe { slice::from_raw_parts(start, len as usize) }
}

/// Was a module translated for this runtime?
pub fn fits(m: &Module) -> bool {
    m.magic == MAGIC
        && m.abi_version == ABI_VERSION
        && m.global_count as usize <= GLOBAL_SLOTS
        && m.stack_pointer_slot < m.global_count
        && (m.tls_base_slot == u32::MAX || m.tls_base_slot < m.global_count)
}

/// Were all parts made to go together?
pub fn is_consistent() -> bool {
    image().abi_version == ABI_VERSION && fits(kernel()) && programs().iter().all(|m| fits(m))
}
