//! Where linear memories lie in the host's address space.
//!
//! Translated code adds a 32-bit index and a 32-bit constant offset to the heap base without a
//! bounds check, so an access may reach 8 GiB above the base. Each linear memory therefore owns a
//! slot of 8 GiB of which only the first 4 GiB are ever mapped. An access of up to 16 bytes that
//! starts at the very end of a slot runs into the first page of the next one, which is never mapped
//! either: address 0 of every linear memory faults.

/// Address space that one linear memory owns, in bytes.
pub const SLOT_SIZE: u64 = 8 << 30;

/// Size of a linear memory: 32-bit addresses.
pub const MEMORY_SIZE: u64 = 4 << 30;

/// The first bytes of every linear memory are never mapped, so that a null pointer faults.
pub const NULL_GUARD: u64 = 65536;

/// Size of a large page of the host, where its pages have 4 KiB, in bytes. The kernel asks the runtime for
/// memory in such pages; other hosts refuse.
pub const LARGE_PAGE: u64 = 2 << 20;

/// Protection bits of `tlb_fill`.
pub const PROT_READ: u32 = 1;
pub const PROT_WRITE: u32 = 2;
/// Not a protection: these pages, if any, are what was mapped there before.
pub const PROT_SAME: u32 = 4;
