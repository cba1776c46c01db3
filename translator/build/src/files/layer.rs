//! Layers of an image: <https://github.com/opencontainers/image-spec>, layer.md. A layer is a tar archive of
//! what it adds and changes, and of marks for what the image no longer has of the layers below it.

use std::io::Read;

use super::compression::decompress;
use super::sum::{Hasher, Sum};
use super::tar::{self, Entry, What};
use crate::error::{Error, Result};
use crate::tree::{Kind, Tree, shown};

/// Before the name of a file of a lower layer that the image does not have.
const WHITEOUT: &[u8] = b".wh.";
/// In a directory of which the image has nothing that lower layers have.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Puts a layer on top of those below. `sum` is that of the archive without compression, if it is known.
pub(super) fn apply(tree: &mut Tree, contents: &[u8], sum: Option<&Sum>) -> Result<()> {
    let mut changes = Changes::default();
    match sum {
        None => tar::read(decompress(contents)?, |entry| changes.add(entry))?,
        Some(sum) => {
            let mut plain = Hashed { plain: decompress(contents)?, hasher: sum.hasher() };
            tar::read(&mut plain, |entry| changes.add(entry))?;
            if plain.hasher.finish() != *sum {
                return Err(Error::new(
                    "the layer is not the one that the image's configuration names",
                ));
            }
        }
    }
    changes.apply(tree)
}

struct Hashed<R> {
    plain: R,
    hasher: Hasher,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.plain.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

/// What a layer says.
#[derive(Default)]
struct Changes {
    /// Directories of which nothing stays, and paths that do not.
    opaque: Vec<Vec<u8>>,
    hidden: Vec<Vec<u8>>,
    entries: Vec<Entry>,
}

impl Changes {
    fn add(&mut self, entry: Entry) -> Result<()> {
        let slash = entry.path.iter().rposition(|byte| *byte == b'/');
        let (directory, name) = match slash {
            Some(at) => (&entry.path[..at], &entry.path[at + 1..]),
            None => (b"".as_slice(), entry.path.as_slice()),
        };
        let is_mark = |name: &[u8]| name.starts_with(WHITEOUT);
        let bad = |why| Err(Error::new(why).at(shown(&entry.path)));
        if directory.split(|byte| *byte == b'/').any(is_mark) {
            return bad("a file below a whiteout, whose names layers keep for themselves");
        }
        if !is_mark(name) {
            self.entries.push(entry);
            return Ok(());
        }
        if !matches!(&entry.what, What::Node(node) if matches!(node.kind, Kind::File(_))) {
            return bad("a whiteout that is no regular file");
        }
        match &name[WHITEOUT.len()..] {
            _ if name == OPAQUE => self.opaque.push(directory.to_vec()),
            b"" | b"." | b".." => return bad("a whiteout of nothing"),
            // Of AUFS, for itself; no specification has them.
            rest if rest.starts_with(WHITEOUT) => return bad("a whiteout of a whiteout"),
            rest if directory.is_empty() => self.hidden.push(rest.to_vec()),
            rest => self.hidden.push([directory, b"/", rest].concat()),
        }
        Ok(())
    }

    /// Marks are about the layers below, wherever they are in this one.
    fn apply(self, tree: &mut Tree) -> Result<()> {
        // A directory takes the place of a link first, so that no mark in it is about where the link leads.
        for entry in &self.entries {
            let is_directory =
                matches!(&entry.what, What::Node(node) if node.kind == Kind::Directory);
            let is_other = |tree: &Tree| {
                tree.get(&entry.path).is_some_and(|there| there.kind != Kind::Directory)
            };
            if is_directory && is_other(tree) {
                tree.remove(&entry.path);
            }
        }
        self.opaque.iter().for_each(|path| tree.clear(path));
        self.hidden.iter().for_each(|path| tree.remove(path));
        self.entries.into_iter().try_for_each(|entry| entry.add_to(tree))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Node;

    /// `name/` is a directory, `name>target` a link, `name=target` a hard link, all else a file with `text`.
    fn apply(tree: &mut Tree, names: &[&str], text: &str) -> Result<()> {
        let mut changes = Changes::default();
        for name in names {
            let node = |kind, mode| What::Node(Node::of_root(kind, mode));
            let (path, what) = if let Some(path) = name.strip_suffix('/') {
                (path, node(Kind::Directory, 0o750))
            } else if let Some((path, target)) = name.split_once('>') {
                (path, node(Kind::Link(target.into()), 0o777))
            } else if let Some((path, target)) = name.split_once('=') {
                (path, What::HardLink { target: target.into(), contents: None })
            } else {
                (*name, node(Kind::file(text), 0o644))
            };
            changes.add(Entry { path: path.into(), what })?;
        }
        changes.apply(tree)
    }

    /// What two layers give.
    fn image(lower: &[&str], upper: &[&str]) -> String {
        let mut tree = Tree::default();
        apply(&mut tree, lower, "old").expect("a layer");
        apply(&mut tree, upper, "new").expect("a layer");
        let text = |entry: crate::tree::Entry<'_>| {
            let path = shown(&entry.path);
            match &entry.node.kind {
                Kind::Directory => format!("{path}:{:o}", entry.node.mode),
                Kind::File(contents) => format!("{path}={}", shown(contents)),
                Kind::Link(target) => format!("{path}>{}", shown(target)),
                _ => path,
            }
        };
        tree.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn whiteouts_hide_what_lies_below() {
        for (lower, upper, left) in [
            (&["a/one", "a/two", "c"][..], &["a/.wh.one", ".wh.c"][..], "a:755 a/two=old"),
            (&["b/one", "b/x/two"], &["b/.wh..wh..opq", "b/new"], "b:755 b/new=new"),
            // Wherever they are in their layer, and only what is below it.
            (
                &["b/one"],
                &["b/new", "b/x/new", "b/.wh..wh..opq"],
                "b:755 b/new=new b/x:755 b/x/new=new",
            ),
            (&["a/one"], &["a", ".wh.a"], "a=new"),
            (&["a/one"], &[".wh.a", "a/two"], "a:755 a/two=new"),
            (&["a/one", "a/b/x"], &["a/b/y", "a/.wh.b"], "a:755 a/b:755 a/b/y=new a/one=old"),
            (&["a", "b/c"], &[".wh..wh..opq", "d"], "d=new"),
            // What is not there needs no hiding.
            (&["a"], &[".wh.b", "c/.wh.d", "a/.wh.e", "f/.wh..wh..opq"], "a=old"),
            (
                &["bin>usr/bin", "usr/bin/a", "usr/bin/b"],
                &["bin/.wh.a"],
                "bin>usr/bin usr:755 usr/bin:755 usr/bin/b=old",
            ),
            (&["a.wh.b", "x"], &["c.wh.x"], "a.wh.b=old c.wh.x=new x=old"),
        ] {
            assert_eq!(image(lower, upper), left, "{lower:?} {upper:?}");
        }
    }

    #[test]
    fn later_layers_replace_what_is_there() {
        for (lower, upper, left) in [
            (&["a/one", "a/two"][..], &["a"][..], "a=new"),
            (&["a"], &["a/", "a/one"], "a:750 a/one=new"),
            // A directory stays, with other permissions.
            (&["a/one"], &["a/"], "a:750 a/one=old"),
            (&["a/", "a/one"], &["a/two"], "a:750 a/one=old a/two=new"),
            (&["a/one", "b/"], &["a>b"], "a>b b:750"),
            (&["a>b", "b/one"], &["a/", "a/two"], "a:750 a/two=new b:755 b/one=old"),
            (&["a>b", "b/one"], &["a/", "a/.wh.one"], "a:750 b:755 b/one=old"),
            (&["a>b", "b/one"], &["a/two"], "a>b b:755 b/one=old b/two=new"),
            // One file, which has its old contents where it is not replaced.
            (&["a", "b=a"], &["a"], "a=new b=old"),
            (&["a"], &["b=a"], "a=old b=old"),
        ] {
            assert_eq!(image(lower, upper), left, "{lower:?} {upper:?}");
        }
    }

    #[test]
    fn marks_that_make_no_sense_are_refused() {
        for (name, why) in [
            (".wh.", "a whiteout of nothing"),
            ("a/.wh..", "a whiteout of nothing"),
            ("a/.wh...", "a whiteout of nothing"),
            (".wh..wh.plnk/", "a whiteout that is no regular file"),
            (".wh..wh.aufs", "a whiteout of a whiteout"),
            (".wh.a/b", "a file below a whiteout"),
            (".wh.a/.wh.b", "a file below a whiteout"),
            (".wh.a/", "a whiteout that is no regular file"),
            (".wh.a>b", "a whiteout that is no regular file"),
            ("a=.wh.b", "a hard link to .wh.b, which is not there"),
        ] {
            let error = apply(&mut Tree::default(), &[name], "").expect_err(why);
            assert!(error.message().contains(why), "{error}");
        }
    }
}
