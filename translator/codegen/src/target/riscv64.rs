//! 64-bit RISC-V.

pub(super) const TRIPLE: &str = "riscv64gc-unknown-linux-gnu";

/// RV64GC, which has no vectors. The C is for compressed instructions.
pub(super) const FEATURES: &[&str] = &["has_c"];
