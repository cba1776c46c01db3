//! The callee-saved registers of this ISA.

#[cfg(target_arch = "aarch64")]
pub use super::aarch64::switch::CalleeSaved;
#[cfg(target_arch = "riscv64")]
pub use super::riscv64::switch::CalleeSaved;
#[cfg(target_arch = "x86_64")]
pub use super::x86_64::switch::CalleeSaved;
