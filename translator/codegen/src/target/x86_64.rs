//! x86-64.

pub(super) const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What x86-64-v2 adds to the baseline, every processor since about 2009. Without it rounding and
/// population counts become calls.
pub(super) const FEATURES: &[&str] =
    &["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];

super::cpu::features! { "x86_64", std::arch::is_x86_feature_detected;
    "avx": "has_avx";
    "avx2": "has_avx" "has_avx2";
    "fma": "has_avx" "has_fma";
    "bmi1": "has_bmi1";
    "bmi2": "has_bmi2";
    "lzcnt": "has_lzcnt";
    "avx512f": "has_avx" "has_avx2" "has_avx512f";
    "avx512vl": "has_avx" "has_avx2" "has_avx512f" "has_avx512vl";
    "avx512dq": "has_avx" "has_avx2" "has_avx512f" "has_avx512dq";
    "avx512bitalg": "has_avx" "has_avx2" "has_avx512f" "has_avx512bitalg";
    "avx512vbmi": "has_avx" "has_avx2" "has_avx512f" "has_avx512vbmi";
}
