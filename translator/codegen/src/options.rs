//! How to translate a module.

use crate::target::Target;
use crate::target::cpu::Cpu;

/// How to translate a module.
#[derive(Debug, Clone)]
pub struct Options {
    pub target: Target,
    /// Names the module's symbols. The kernel's is [`linnet_abi::calls::KERNEL_PREFIX`].
    pub prefix: String,
    /// Whether loop heads look at the context's poll word. Programs need it, the kernel polls
    /// by itself. Of modules for hosts those do that can be interrupted.
    pub polls: bool,
    /// Whether a host program embeds the module. Otherwise it is the kernel or a program of a boot binary.
    pub standalone: bool,
    /// Whether frames can be captured and rebuilt, see [`linnet_abi::frames`]. The code gets several
    /// times as large.
    pub frames: bool,
    /// Instructions that may be used.
    pub cpu: Cpu,
    /// Whether arithmetic gives the same NaN on every processor: the canonical one. It makes the code of
    /// floats slower.
    pub canonical_nans: bool,
}

impl Options {
    /// The same for a module whose calls its host may interrupt: it polls, too.
    #[must_use]
    pub fn interruptible(self) -> Options {
        Options { polls: true, ..self }
    }

    /// For a module that a host program embeds.
    #[must_use]
    pub fn host(target: Target, prefix: &str) -> Options {
        Options { polls: false, standalone: true, ..Options::linux(target, prefix) }
    }

    /// For the kernel, or for a program of a boot binary: that polls.
    #[must_use]
    pub fn linux(target: Target, prefix: &str) -> Options {
        Options {
            target,
            prefix: prefix.to_owned(),
            polls: prefix != linnet_abi::calls::KERNEL_PREFIX,
            standalone: false,
            frames: false,
            cpu: Cpu::baseline(target),
            canonical_nans: false,
        }
    }

    /// Whether the module is a program of a boot binary. Its stacks can be copied, see [`crate::passes`].
    pub(crate) fn is_program(&self) -> bool {
        !self.standalone && self.prefix != linnet_abi::calls::KERNEL_PREFIX
    }
}
