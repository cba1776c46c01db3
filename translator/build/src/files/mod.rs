//! Files for the guest's root file system, from whatever holds them: a directory, an archive, a
//! Debian package, an OCI image layout or a single program.

mod archive;
mod directory;
mod oci;
mod write;

use std::fs;
use std::path::Path;

use crate::digest::{Digest, Key};
use crate::error::{At as _, Error, Result};
use crate::inspect;
use crate::tree::{Kind, Node, Tree};

/// Where a program goes that comes without a place.
const PROGRAMS: &str = "usr/bin";

/// Files for the root file system, beside or in place of the usual ones. WebAssembly modules among
/// them are programs.
#[derive(Debug, Default, Clone)]
pub struct Files {
    pub(crate) tree: Tree,
}

impl Files {
    /// Reads what lies at `path`. Its programs are modules for Linnet, as far as their sections tell.
    pub fn read(path: &Path) -> Result<Self> {
        let files = Self::read_unchecked(path)?;
        let problem = |(path, node): (&str, &Node)| inspect::problem(path, node.module()?);
        let found = files.tree.iter().find_map(problem);
        found.map_or(Ok(()), |problem| Err(problem.at(path.display())))?;
        Ok(files)
    }

    /// Reads what lies at `path`, whatever its programs are.
    pub(crate) fn read_unchecked(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return match oci::is_layout(path) {
                true => oci::read(path),
                false => directory::read(path),
            };
        }
        let contents = fs::read(path).at(path.display())?;
        if contents.starts_with(b"\0asm") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let mut files = Self::default();
            let node = Node::of_root(Kind::File(contents), 0o755);
            files.tree.add(&format!("{PROGRAMS}/{name}"), node);
            return Ok(files);
        }
        archive::read(&contents).map_err(|error| error.at(path.display()))
    }

    /// Adds a file of this machine that anyone may execute.
    pub fn add(&mut self, place: &str, file: &Path) -> Result<()> {
        let contents = fs::read(file).at(file.display())?;
        self.tree.add(place, Node::of_root(Kind::File(contents), 0o755));
        Ok(())
    }

    /// Adds all of `other`, in place of what is there under the same names.
    pub fn merge(&mut self, other: Self) {
        self.tree.merge(other.tree);
    }

    /// Adds all that the files are to a key.
    pub(crate) fn with_key(&self, mut key: Key) -> Key {
        for (path, node) in self.tree.iter() {
            let (kind, contents) = match &node.kind {
                Kind::Directory => ("directory", Digest::of(b"")),
                Kind::File(contents) => ("file", Digest::of(contents)),
                Kind::Link(target) => ("link", Digest::of(target.as_bytes())),
                Kind::Fifo => ("fifo", Digest::of(b"")),
                Kind::CharacterDevice { major, minor } => {
                    ("character", Digest::of(format!("{major}:{minor}").as_bytes()))
                }
                Kind::BlockDevice { major, minor } => {
                    ("block", Digest::of(format!("{major}:{minor}").as_bytes()))
                }
            };
            let Node { mode, uid, gid, .. } = node;
            key = key
                .with("path", path)
                .with("node", format!("{kind} {mode:o} {uid} {gid}"))
                .with_digest("contents", contents);
        }
        key
    }
}

/// The error of a path that leads out of the root file system.
fn outside(path: &str) -> Error {
    Error::new(format!("{path}: outside of the root file system"))
}
