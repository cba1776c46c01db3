//! Puts the guest's first root file system together.

use std::fs;
use std::path::Path;

use crate::error::{At as _, Error, Result};
use crate::tree::{Kind, Node, Tree};

/// Lists what is in the root file system besides programs, in a directory that also holds the
/// files it names.
const LAYOUT: &str = "layout";

/// Adds what the layout in `directory` lists.
pub(crate) fn add_layout(tree: &mut Tree, directory: &Path) -> Result<()> {
    let path = directory.join(LAYOUT);
    let text = fs::read_to_string(&path).at(path.display())?;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = || format!("{}:{number}", path.display());
        let Some(entry) = Entry::parse(line) else {
            return Err(Error::new("not a line that is understood").at(place()).hint(
                "dir NAME MODE UID GID, file NAME FILE MODE UID GID, slink NAME TARGET MODE UID \
                 GID or nod NAME MODE UID GID c MAJOR MINOR",
            ));
        };
        let kind = match entry.what {
            What::Directory => Kind::Directory,
            What::File(file) => Kind::file(fs::read(directory.join(file)).at(place())?),
            What::Link(target) => Kind::Link(target.into()),
            What::CharacterDevice { major, minor } => Kind::CharacterDevice { major, minor },
        };
        let Entry { name, mode, uid, gid, .. } = entry;
        let node = Node { uid, gid, ..Node::of_root(kind, mode) };
        tree.add(name, node).map_err(|error| error.at(place()))?;
    }
    Ok(())
}

/// Adds a link for each line of `list`, the paths of a program's other names, unless something
/// lies there already.
pub(crate) fn add_links(tree: &mut Tree, list: &Path, program: &str) -> Result<()> {
    for link in fs::read_to_string(list).at(list.display())?.lines() {
        if !tree.contains(link) {
            tree.add(link, Node::link_to(program))?;
        }
    }
    Ok(())
}

/// A line of the layout, in the words of the kernel's `gen_init_cpio`.
#[derive(Debug, PartialEq, Eq)]
struct Entry<'a> {
    name: &'a str,
    what: What<'a>,
    mode: u32,
    uid: u32,
    gid: u32,
}

#[derive(Debug, PartialEq, Eq)]
enum What<'a> {
    Directory,
    File(&'a str),
    Link(&'a str),
    CharacterDevice { major: u32, minor: u32 },
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, what, owner) = match *words {
            ["dir", name, ref owner @ ..] => (name, What::Directory, owner),
            ["file", name, file, ref owner @ ..] => (name, What::File(file), owner),
            ["slink", name, target, ref owner @ ..] => (name, What::Link(target), owner),
            ["nod", name, ref owner @ .., "c", major, minor] => {
                let (major, minor) = (major.parse().ok()?, minor.parse().ok()?);
                (name, What::CharacterDevice { major, minor }, owner)
            }
            _ => return None,
        };
        let [mode, uid, gid] = *owner else { return None };
        let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777)?;
        Some(Self { name, what, mode, uid: uid.parse().ok()?, gid: gid.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_layout() {
        let device = Entry::parse("nod /dev/console 600 0 5 c 5 1");
        let what = What::CharacterDevice { major: 5, minor: 1 };
        assert_eq!(device, Some(Entry { name: "/dev/console", what, mode: 0o600, uid: 0, gid: 5 }));
        let file = Entry::parse("file /etc/a etc/a 644 0 0");
        assert_eq!(file.map(|entry| entry.what), Some(What::File("etc/a")));
        for wrong in ["dir /a 755 0", "dir /a 99 0 0", "nod /a 600 0 0 b 1 1", "pipe /a 600 0 0"] {
            assert_eq!(Entry::parse(wrong), None, "{wrong}");
        }
    }
}
