//! Guest memory, where it lies in the host's address space, and the host mappings that are its TLB.

pub mod balloon;
pub mod demand;
pub mod ids;
pub mod image;
pub mod layout;
pub mod loaded;
pub mod physical;
pub mod ram;
pub mod range;
pub mod slot_sharing;
pub mod tlb;
