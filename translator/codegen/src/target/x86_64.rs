//! x86-64.

pub(super) const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What x86-64-v2 adds to the baseline, every processor since about 2009. Without it rounding and
/// population counts become calls.
pub(super) const FEATURES: &[&str] =
    &["has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];
