//! What is in a module, in anything that a system is put together from, or in a boot binary.

use std::fs;
use std::path::Path;

use linnet_codegen::Summary;
use object::read::elf::{ElfFile64, FileHeader as _};
use object::{Object as _, ObjectSection as _};
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{At as _, Error, Result};
use crate::files::Files;
use crate::object_file::{NOTE_SECTION, read_note};
use crate::snapshot::{self, Machine};
use crate::translate;
use crate::tree::{Entry, Kind, shown};

/// What a boot binary says of itself, in the note that the linker step writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Version of the tool that built it.
    pub linnet: String,
    /// Version of the contract between runtime, kernel and programs.
    pub abi: u32,
    /// Instruction set.
    pub target: String,
    /// The kernel's release.
    pub kernel: String,
    pub programs: Vec<Program>,
}

/// A WebAssembly module in a root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    pub path: String,
    /// Bytes of the module.
    pub size: u64,
    /// Of the module.
    pub sha256: String,
}

/// What a file turned out to be.
#[derive(Debug)]
pub enum Report {
    Module {
        size: u64,
        sha256: String,
        summary: Summary,
    },
    /// Programs, each with what is wrong with it, and the number and size of the other files.
    Package {
        programs: Vec<(Program, Option<Error>)>,
        files: usize,
        bytes: u64,
    },
    Snapshot(Machine),
    BootBinary {
        size: u64,
        sha256: String,
        contents: Contents,
    },
}

/// Looks at what lies at `path`.
pub fn inspect(path: &Path) -> Result<Report> {
    if path.is_file() {
        let bytes = fs::read(path).at(path.display())?;
        let size = bytes.len() as u64;
        let sha256 = || Digest::of(&bytes).to_string();
        if bytes.starts_with(b"\0asm") {
            let summary =
                linnet_codegen::summary(&bytes).map_err(|cause| translate::error(path, &cause))?;
            return Ok(Report::Module { size, sha256: sha256(), summary });
        }
        if bytes.starts_with(&linnet_snapshot::MAGIC.to_le_bytes()) {
            return Ok(Report::Snapshot(
                snapshot::read(&bytes).map_err(|error| error.at(path.display()))?,
            ));
        }
        if bytes.starts_with(b"\x7fELF") {
            let contents = boot_binary(&bytes).map_err(|error| error.at(path.display()))?;
            return Ok(Report::BootBinary { size, sha256: sha256(), contents });
        }
    }
    Ok(package(&Files::read_unchecked(path)?))
}

fn package(files: &Files) -> Report {
    let (mut programs, mut others, mut bytes) = (Vec::new(), 0, 0);
    for Entry { path, node, .. } in files.tree.iter() {
        if let Some(module) = node.module() {
            let program = Program {
                path: format!("/{}", shown(&path)),
                size: module.len() as u64,
                sha256: Digest::of(module).to_string(),
            };
            programs.push((program, problem(&path, module)));
        } else if let Kind::File(contents) = &node.kind {
            others += 1;
            bytes += contents.len() as u64;
        }
    }
    Report::Package { programs, files: others, bytes }
}

/// What is wrong with a program's sections.
pub(crate) fn problem(path: &[u8], module: &[u8]) -> Option<Error> {
    let cause = match linnet_codegen::summary(module) {
        Ok(summary) => summary.problem?,
        Err(cause) => cause,
    };
    Some(translate::error(Path::new(&shown(path)), &cause))
}

fn boot_binary(bytes: &[u8]) -> Result<Contents> {
    let no = || {
        Error::new("a native executable, but no boot binary")
            .hint("linnet inspects what linnet build makes, WebAssembly modules, and packages")
    };
    let elf = ElfFile64::<object::Endianness>::parse(bytes).map_err(|_| no())?;
    if elf.elf_header().e_type(elf.endian()) != object::elf::ET_EXEC {
        return Err(no());
    }
    let section = elf.section_by_name(NOTE_SECTION).ok_or_else(no)?;
    let note = section.data().at("note")?;
    let text = read_note(note).ok_or_else(|| Error::new("the note about its contents is cut"))?;
    serde_json::from_slice(text).at("the note about its contents")
}

/// The release in a kernel's banner.
pub(crate) fn kernel_version(kernel: &[u8]) -> Option<String> {
    const BANNER: &[u8] = b"Linux version ";
    let version = |start: usize| {
        let rest = &kernel[start + BANNER.len()..];
        let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || *byte == 0)?;
        let text = std::str::from_utf8(&rest[..end]).ok()?;
        text.starts_with(|first: char| first.is_ascii_digit()).then(|| text.to_owned())
    };
    let windows = kernel.windows(BANNER.len()).enumerate();
    windows.filter(|(_, window)| *window == BANNER).find_map(|(start, _)| version(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_banner() {
        let kernel = b"..Linux version %s\0Linux version 6.12.9 (me@here)";
        assert_eq!(kernel_version(kernel), Some("6.12.9".to_owned()));
        assert_eq!(kernel_version(b"Linux version 6"), None);
    }
}
