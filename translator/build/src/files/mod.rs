//! Files for the guest's root file system, from whatever holds them: a directory, an archive, a
//! Debian package, an OCI image layout or a single program.

mod archive;
mod compression;
mod deb;
mod directory;
mod docker;
mod image;
mod layer;
mod oci;
mod sum;
mod tar;
mod write;

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::digest::{Digest, Key};
use crate::error::{At as _, Result};
use crate::inspect;
use crate::tree::{Entry, Kind, Node, Tree};

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
        let problem = |entry: Entry<'_>| inspect::problem(&entry.path, entry.node.module()?);
        let found = files.tree.iter().find_map(problem);
        found.map_or(Ok(()), |problem| Err(problem.at(path.display())))?;
        Ok(files)
    }

    /// Reads what lies at `path`, whatever its programs are.
    pub(crate) fn read_unchecked(path: &Path) -> Result<Self> {
        let tree = if path.is_dir() {
            match image::is_layout(path) {
                true => image::read(&image::Store::Directory(path)),
                false => directory::read(path),
            }
        } else {
            let contents = fs::read(path).at(path.display())?;
            Self::of_contents(path, contents).map_err(|error| error.at(path.display()))
        };
        Ok(Self { tree: tree? })
    }

    /// The files of a file that is no directory.
    fn of_contents(path: &Path, contents: Vec<u8>) -> Result<Tree> {
        if contents.starts_with(b"\0asm") {
            let name = path.file_stem().unwrap_or_default().as_bytes();
            let mut tree = Tree::default();
            let place = [PROGRAMS.as_bytes(), b"/", name].concat();
            tree.add(place, Node::of_root(Kind::file(contents), 0o755))?;
            return Ok(tree);
        }
        if contents.starts_with(deb::MAGIC) {
            return deb::read(&contents);
        }
        let tree = archive::read(&contents)?;
        // What compressed it is of no more use.
        drop(contents);
        match image::Store::in_archive(&tree) {
            Some(store) => image::read(&store),
            None => Ok(tree),
        }
    }

    /// Adds a file of this machine that anyone may execute.
    pub fn add(&mut self, place: &str, file: &Path) -> Result<()> {
        let contents = fs::read(file).at(file.display())?;
        self.tree.add(place, Node::of_root(Kind::file(contents), 0o755))
    }

    /// Adds all of `other`, in place of what is there under the same names.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.tree.merge(&other.tree)
    }

    /// Adds all that the files are to a key.
    pub(crate) fn with_key(&self, mut key: Key) -> Key {
        let mut first_names = HashMap::new();
        for Entry { path, node, file, is_implied, .. } in self.tree.iter() {
            if let Some(first) = first_names.get(&file) {
                key = key.with("path", &path).with("same file", first);
                continue;
            }
            let (kind, contents) = match &node.kind {
                Kind::Directory if is_implied => ("implied", Digest::of(b"")),
                Kind::Directory => ("directory", Digest::of(b"")),
                Kind::File(contents) => ("file", Digest::of(contents)),
                Kind::Link(target) => ("link", Digest::of(target)),
                Kind::Fifo => ("fifo", Digest::of(b"")),
                Kind::CharacterDevice { major, minor } => {
                    ("character", Digest::of(format!("{major}:{minor}").as_bytes()))
                }
                Kind::BlockDevice { major, minor } => {
                    ("block", Digest::of(format!("{major}:{minor}").as_bytes()))
                }
            };
            let Node { mode, uid, gid, time, .. } = node;
            key = key
                .with("path", &path)
                .with("node", format!("{kind} {mode:o} {uid} {gid} {time}"))
                .with_digest("contents", contents);
            first_names.insert(file, path);
        }
        key
    }
}
