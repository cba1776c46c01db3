//! Cranelift, set up for a target.

use crate::error::{Error, Result};
use crate::options::Options;
use crate::target::description;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable as _};

/// log2 of the largest frame that is entered without touching its pages. The runtime keeps a
/// larger gap below every native stack.
const PROBE_SIZE_LOG2: &str = "14";

const SETTINGS: &[(&str, &str)] = &[
    ("opt_level", "speed"),
    // A boot binary is linked statically: no GOT.
    ("is_pic", "false"),
    // The unwinder and host tools walk frame pointers.
    ("preserve_frame_pointers", "true"),
    ("unwind_info", "true"),
    ("enable_multi_ret_implicit_sret", "true"),
    ("enable_probestack", "true"),
    ("probestack_strategy", "inline"),
    ("probestack_size_log2", PROBE_SIZE_LOG2),
    ("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }),
];

/// Cranelift, set up for a target.
pub(crate) fn isa(options: &Options) -> Result<OwnedTargetIsa> {
    let (triple, features, _) = description(options.target);
    let failed =
        |e: &dyn std::fmt::Display| Error::new(format!("code generator for {triple}: {e}"));
    let mut flags = settings::builder();
    let mut set = |name, value| flags.set(name, value).map_err(|e| failed(&e));
    for (name, value) in SETTINGS {
        set(name, value)?;
    }
    if options.standalone {
        // Host programs are usually loaded anywhere, and may be libraries.
        set("is_pic", "true")?;
        // A host's thread has a guard of one page.
        set("probestack_size_log2", "12")?;
    }
    if options.canonical_nans {
        set("enable_nan_canonicalization", "true")?;
    }
    let mut isa = isa::lookup_by_name(triple).map_err(|e| failed(&e))?;
    for feature in features.iter().copied().chain(options.cpu.settings(options.target)) {
        isa.enable(feature).map_err(|e| failed(&e))?;
    }
    isa.finish(settings::Flags::new(flags)).map_err(|e| failed(&e))
}
