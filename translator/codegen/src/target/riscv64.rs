//! 64-bit RISC-V.

pub(super) const TRIPLE: &str = "riscv64gc-unknown-linux-gnu";

/// RV64GC, which has no vectors. The C is for compressed instructions.
pub(super) const FEATURES: &[&str] = &["has_c"];

super::cpu::features! { "riscv64", std::arch::is_riscv_feature_detected;
    "zba": "has_zba";
    "zbb": "has_zbb";
    "zbc": "has_zbc";
    "zbs": "has_zbs";
    "zbkb": "has_zbkb";
    "zcb": "has_zcb";
    "zfa": "has_zfa";
    "zicond": "has_zicond";
}
