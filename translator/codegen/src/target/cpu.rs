//! Processors: which instructions may be used besides those that every processor of a target has.

use super::{Feature, Target, description};
use crate::error::{Error, Result};
use std::fmt::{self, Display, Formatter};

/// Features of a processor, besides those of every processor of its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpu {
    names: Vec<&'static str>,
}

impl Cpu {
    /// What every processor of the target has.
    #[must_use]
    pub fn baseline(_target: Target) -> Cpu {
        Cpu { names: Vec::new() }
    }

    /// `baseline`, `native` for all that this machine has, or names of features with commas in between.
    ///
    /// # Errors
    ///
    /// The target has no such feature, or this machine is not of the target.
    pub fn parse(target: Target, text: &str) -> Result<Cpu> {
        let (.., features) = description(target);
        match text {
            "baseline" => return Ok(Cpu::baseline(target)),
            "native" if target.name() == std::env::consts::ARCH => {
                let here = features.iter().filter(|feature| (feature.is_here)());
                return Ok(Cpu { names: here.map(|feature| feature.name).collect() });
            }
            "native" => {
                let message = format!("this machine is no {}", target.name());
                return Err(Error::new(message).hint("name the features with --cpu"));
            }
            _ => {}
        }
        let mut names = Vec::new();
        for wanted in text.split(',') {
            let found = features.iter().find(|feature| feature.name == wanted);
            let Some(Feature { name, .. }) = found else {
                let known: Vec<_> = features.iter().map(|feature| feature.name).collect();
                let message = format!("{} has no feature '{wanted}'", target.name());
                let hint = format!("there are baseline, native, {}", known.join(", "));
                return Err(Error::new(message).hint(hint));
            };
            names.push(*name);
        }
        names.sort_unstable();
        names.dedup();
        Ok(Cpu { names })
    }

    /// The code generator's settings for the features.
    pub(crate) fn settings(&self, target: Target) -> impl Iterator<Item = &'static str> {
        let (.., features) = description(target);
        let names = self.names.clone();
        let chosen = features.iter().filter(move |feature| names.contains(&feature.name));
        chosen.flat_map(|feature| feature.settings.iter().copied())
    }
}

/// As [`Cpu::parse`] takes it.
impl Display for Cpu {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() {
            return f.write_str("baseline");
        }
        f.write_str(&self.names.join(","))
    }
}

/// Features that are called alike in Rust. `$detect` is a macro of the standard library, and does not exist
/// on other targets.
macro_rules! features {
    ($arch:literal, $detect:path; $($name:tt: $($setting:literal)+;)*) => {
        /// What some processors have.
        pub(super) const MORE: &[super::Feature] = &[$(super::Feature {
            name: $name,
            settings: &[$($setting),+],
            is_here: || {
                #[cfg(target_arch = $arch)]
                {
                    $detect!($name)
                }
                #[cfg(not(target_arch = $arch))]
                {
                    false
                }
            },
        }),*];
    };
}
pub(super) use features;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, translate};

    #[test]
    fn every_feature_is_one_of_the_code_generator() {
        for target in Target::ALL {
            for feature in description(target).2 {
                let cpu = Cpu::parse(target, feature.name).expect("its own name");
                assert_eq!(cpu.to_string(), feature.name);
                let options = Options { cpu, ..Options::host(target, "m") };
                translate(b"\0asm\x01\0\0\0", &options).expect(feature.name);
            }
        }
    }

    #[test]
    fn features_are_a_set() {
        let parsed = |text| Cpu::parse(Target::X86_64, text).map(|cpu| cpu.to_string());
        assert_eq!(parsed("bmi2,avx,bmi2").as_deref(), Ok("avx,bmi2"));
        assert_eq!(parsed("baseline").as_deref(), Ok("baseline"));
        let error = parsed("avx,zba").expect_err("RISC-V's");
        assert_eq!(error.to_string(), "x86_64 has no feature 'zba'");
        assert!(parsed("").is_err());
    }

    #[test]
    fn native_is_for_this_machine() {
        for target in Target::ALL {
            let is_here = target.name() == std::env::consts::ARCH;
            assert_eq!(Cpu::parse(target, "native").is_ok(), is_here);
        }
    }
}
