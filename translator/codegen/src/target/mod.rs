//! What differs between instruction sets.

mod aarch64;
pub(crate) mod cpu;
mod riscv64;
mod x86_64;

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

/// What the code generator calls the target, the features that every one of its processors has, and those
/// that some have.
pub(crate) fn description(
    target: Target,
) -> (&'static str, &'static [&'static str], &'static [Feature]) {
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
