//! What differs between instruction sets.

mod aarch64;
pub(crate) mod cpu;
mod riscv64;
mod x86_64;

use crate::Options;
use crate::error::{Error, Result};
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};

/// An instruction set that modules are translated to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    X86_64,
    Aarch64,
    Riscv64,
}

/// How the target orders memory accesses, as far as the translator must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ordering {
    /// Only a later load may overtake an earlier store.
    TotalStore,
    /// Accesses may overtake each other.
    Weak,
}

impl Target {
    /// Every target.
    pub const ALL: [Target; 3] = [Target::X86_64, Target::Aarch64, Target::Riscv64];

    /// Its name, as in a boot binary's file name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Target::X86_64 => "x86_64",
            Target::Aarch64 => "aarch64",
            Target::Riscv64 => "riscv64",
        }
    }

    /// The target of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Target> {
        Target::ALL.into_iter().find(|t| t.name() == name)
    }

    pub(crate) fn ordering(self) -> Ordering {
        match self {
            Target::X86_64 => Ordering::TotalStore,
            Target::Aarch64 | Target::Riscv64 => Ordering::Weak,
        }
    }

    /// Whether an atomic read-modify-write orders all that comes before it with all that comes after,
    /// as the kernel and C's `__sync` functions want it. On AArch64 it is an acquire and a release:
    /// what is before may end up inside or behind, and the other way round.
    pub(crate) fn modifies_with_fence(self) -> bool {
        self != Target::Aarch64
    }

    /// Whether every processor has 128-bit vectors.
    pub(crate) fn has_vectors(self) -> bool {
        self != Target::Riscv64
    }

    /// Whether an instruction that gives 32 bits clears the others of its register.
    pub(crate) fn extends_words_for_free(self) -> bool {
        self == Target::X86_64
    }

    /// Whether there are 16 registers and not 32.
    pub(crate) fn has_few_registers(self) -> bool {
        self == Target::X86_64
    }

    /// Whether C code expects 32-bit arguments and results sign-extended to registers.
    pub(crate) fn extends_words(self) -> bool {
        self == Target::Riscv64
    }
}

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

/// What the code generator calls the target, the features that every one of its processors has, and those
/// that some have.
fn description(target: Target) -> (&'static str, &'static [&'static str], &'static [Feature]) {
    match target {
        Target::X86_64 => (x86_64::TRIPLE, x86_64::FEATURES, x86_64::MORE),
        Target::Aarch64 => (aarch64::TRIPLE, aarch64::FEATURES, aarch64::MORE),
        Target::Riscv64 => (riscv64::TRIPLE, riscv64::FEATURES, riscv64::MORE),
    }
}

/// A feature that some processors have.
pub(crate) struct Feature {
    /// As in `--cpu` and in Rust.
    pub name: &'static str,
    /// Its settings of the code generator.
    pub settings: &'static [&'static str],
    /// Whether this machine has it. Asked only on the target.
    pub is_here: fn() -> bool,
}

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
