//! Digests as images name their parts: <https://github.com/opencontainers/image-spec>, descriptor.md.

use std::fmt;

use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Error, Result};

/// A digest of one of the two algorithms that images use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sum {
    is_long: bool,
    /// Lower case.
    pub(super) hex: String,
}

impl Sum {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let (algorithm, hex) = text.split_once(':').unwrap_or(("", text));
        let digits = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return Err(Error::new(format!("{text:?} is no digest of SHA-256 or SHA-512"))),
        };
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match hex.len() == digits && hex.bytes().all(is_digit) {
            true => Ok(Self { is_long: algorithm == "sha512", hex: hex.to_owned() }),
            false => Err(Error::new(format!("{text:?} is no {algorithm} digest"))),
        }
    }

    pub(super) fn algorithm(&self) -> &'static str {
        if self.is_long { "sha512" } else { "sha256" }
    }

    /// What makes a digest of the same kind.
    pub(super) fn hasher(&self) -> Hasher {
        if self.is_long { Hasher::Long(Sha512::new()) } else { Hasher::Short(Sha256::new()) }
    }

    pub(super) fn is_of(&self, bytes: &[u8]) -> bool {
        let mut hasher = self.hasher();
        hasher.update(bytes);
        hasher.finish() == *self
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm(), self.hex)
    }
}

pub(super) enum Hasher {
    Short(Sha256),
    Long(Sha512),
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Short(hasher) => hasher.update(bytes),
            Self::Long(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Sum {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Short(hasher) => Sum { is_long: false, hex: hex(&hasher.finalize()) },
            Self::Long(hasher) => Sum { is_long: true, hex: hex(&hasher.finalize()) },
        }
    }
}
