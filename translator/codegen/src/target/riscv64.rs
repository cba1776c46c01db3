//! 64-bit RISC-V.

pub(super) const TRIPLE: &str = "riscv64gc-unknown-linux-gnu";

/// RV64GC, which has no vectors.
pub(super) const FEATURES: &[&str] = &[];
