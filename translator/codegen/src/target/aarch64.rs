//! 64-bit Arm.

pub(super) const TRIPLE: &str = "aarch64-unknown-linux-gnu";

/// Armv8.0: atomics are load-exclusive loops.
pub(super) const FEATURES: &[&str] = &[];

super::cpu::features! { "aarch64", std::arch::is_aarch64_feature_detected;
    "lse": "has_lse";
    "dotprod": "has_dotprod";
}
