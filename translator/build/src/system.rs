//! What a machine is made of: the description in a `linnet.toml`, and what the command line adds.

use std::fs;
use std::path::Path;

use linnet_codegen::Target;
use serde::Deserialize;

use crate::builder::Builder;
use crate::digest::Key;
use crate::error::{At as _, Error, Result};
use crate::files::Files;
use crate::guest::KernelVersion;
use crate::tree::{Kind, Node};

/// Where the first process finds the command that it runs if none is given: words that each end in
/// a NUL.
const COMMAND: &str = "linnet/command";

/// What the runtime can give a guest, in bytes.
const MEMORY: std::ops::RangeInclusive<u64> = 32 << 20..=MOST_MEMORY;
pub(crate) const MOST_MEMORY: u64 = 3 << 30;

/// What goes into a boot binary.
#[derive(Debug, Clone)]
pub struct System {
    pub kernel: KernelVersion,
    pub files: Files,
    /// Whether the usual root file system, with BusyBox, lies below the files. The first process is
    /// Linnet's own in any case, unless the files have an `init`.
    pub base: bool,
    /// More kernel arguments that always apply.
    pub append: String,
    /// Guest memory in bytes if nothing else is asked for at the start; 0 for the runtime's default.
    pub memory: u64,
    /// Files that are disks of the machine, from where it is started; read-only with `,ro` behind the name.
    pub disks: Vec<String>,
    /// Leave out the symbol table and the debugging information.
    pub strip: bool,
    /// Compress all of it, which leaves no symbol table either. It unpacks itself at every start.
    pub compress: bool,
    /// Translate so that frames can be captured and rebuilt.
    pub frames: bool,
    /// Boot where it is built, run this script of a shell, and start from there.
    pub frozen: Option<String>,
}

impl Default for System {
    fn default() -> Self {
        Self {
            kernel: KernelVersion::default(),
            files: Files::default(),
            base: true,
            append: String::new(),
            memory: 0,
            disks: Vec::new(),
            strip: false,
            compress: false,
            frames: false,
            frozen: None,
        }
    }
}

impl System {
    /// The usual system with more files.
    pub fn with(files: Files) -> Self {
        Self { files, ..Self::default() }
    }

    pub fn add_arguments(&mut self, arguments: &str) {
        if !self.append.is_empty() {
            self.append.push(' ');
        }
        self.append += arguments;
    }

    /// Sets the guest's memory from a size such as `512M`.
    pub fn set_memory(&mut self, size: &str) -> Result<()> {
        self.memory = parse_size(size).filter(|size| MEMORY.contains(size)).ok_or_else(|| {
            Error::new(format!("{size:?} is no size of a guest's memory"))
                .hint("from 32M to 3G, as in 512M")
        })?;
        Ok(())
    }

    /// Has the machine run these words if it is started without a command.
    fn set_command(&mut self, words: &[String]) -> Result<()> {
        let text: String = words.iter().map(|word| format!("{word}\0")).collect();
        self.files.tree.add(COMMAND, Node::of_root(Kind::file(text), 0o644))
    }

    /// Adds all that the system is besides its kernel to a key.
    pub(crate) fn with_key(&self, key: Key) -> Key {
        let key = key
            .with("base", [u8::from(self.base)])
            .with("append", &self.append)
            .with("memory", self.memory.to_le_bytes())
            .with("disks", self.disks.join("\0"))
            .with("strip", [u8::from(self.strip)])
            .with("compress", [u8::from(self.compress)])
            .with("frames", [u8::from(self.frames)])
            .with("is frozen", [u8::from(self.frozen.is_some())])
            .with("frozen", self.frozen.as_deref().unwrap_or_default());
        self.files.with_key(key)
    }
}

/// The form of a `linnet.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Description {
    /// The version of Linux.
    kernel: Option<String>,
    /// Files in place of the usual root file system.
    #[serde(default)]
    inputs: Vec<String>,
    /// Packages by name, and paths: what goes on top.
    #[serde(default)]
    packages: Vec<String>,
    kernel_arguments: Option<String>,
    /// The first process, in place of Linnet's own.
    init: Option<String>,
    /// What runs if the machine is started without a command.
    #[serde(default)]
    command: Vec<String>,
    memory: Option<String>,
    /// `FILE` or `FILE,ro`, found from where the machine is started.
    #[serde(default)]
    disks: Vec<String>,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    strip: bool,
    #[serde(default)]
    compress: bool,
    #[serde(default)]
    frames: bool,
    /// What runs before the machine is frozen, where it is built; it starts from there.
    frozen: Option<String>,
}

impl Builder {
    /// The system that the file at `path` describes, and the instruction sets it is for, if it says.
    /// Paths in it are relative to the file.
    pub fn system(&self, path: &Path) -> Result<(System, Vec<Target>)> {
        let text = fs::read_to_string(path).at(path.display())?;
        let described: Description =
            toml::from_str(&text).map_err(|cause| at_line(&text, &cause).at(path.display()))?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut system = System {
            base: described.inputs.is_empty(),
            strip: described.strip,
            disks: described.disks,
            compress: described.compress,
            frames: described.frames,
            frozen: described.frozen,
            ..System::default()
        };
        let fill = |system: &mut System| {
            if let Some(version) = &described.kernel {
                system.kernel = self.kernel_version(version)?;
            }
            for input in &described.inputs {
                system.files.merge(&Files::read(&directory.join(input))?)?;
            }
            for package in &described.packages {
                system.files.merge(&self.files_from(package.as_ref(), directory)?)?;
            }
            if let Some(size) = &described.memory {
                system.set_memory(size)?;
            }
            if let Some(arguments) = &described.kernel_arguments {
                system.add_arguments(arguments);
            }
            if let Some(init) = &described.init {
                system.add_arguments(&format!("rdinit={init}"));
            }
            if !described.command.is_empty() {
                system.set_command(&described.command)?;
            }
            described.targets.iter().map(|name| target(name)).collect::<Result<Vec<_>>>()
        };
        let targets = fill(&mut system).map_err(|error| error.at(path.display()))?;
        Ok((system, targets))
    }
}

fn target(name: &str) -> Result<Target> {
    Target::from_name(name).ok_or_else(|| {
        Error::new(format!("unknown target {name:?}"))
            .hint(format!("there are {}", Target::ALL.map(Target::name).join(", ")))
    })
}

/// The library's error in one line.
fn at_line(text: &str, cause: &toml::de::Error) -> Error {
    let message = cause.message().replace('\n', " ");
    match cause.span() {
        Some(span) => {
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            Error::new(format!("line {line}: {message}"))
        }
        None => Error::new(message),
    }
}

/// Bytes of a number with K, M or G behind it, or of a plain number of bytes.
fn parse_size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'g' | b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("512M"), Some(512 << 20));
        assert_eq!(parse_size("65536"), Some(65536));
        for wrong in ["", "M", "1T", "-1M", "99999999999G"] {
            assert_eq!(parse_size(wrong), None, "{wrong}");
        }
        assert!(System::default().set_memory("16M").is_err());
    }

    #[test]
    fn errors_of_a_description_name_the_line() {
        let text = "packages = []\ndrives = []\n";
        let cause = toml::from_str::<Description>(text).expect_err("no such key");
        let message = at_line(text, &cause).message().to_owned();
        assert!(message.starts_with("line 2: unknown field `drives`"), "{message}");
    }
}
