//! The newc form of cpio, which the kernel unpacks as its first root file system
//! (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! The same files always give the same bytes: sorted and without time.

use std::collections::BTreeMap;

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File(Vec<u8>),
    Link(String),
    CharacterDevice { major: u32, minor: u32 },
}

impl Node {
    pub(crate) fn of_root(kind: Kind, mode: u32) -> Self {
        Self { kind, mode, uid: 0, gid: 0 }
    }
}

const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// A file system to be. Paths are relative to its root and have no leading slash.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    nodes: BTreeMap<String, Node>,
}

impl Archive {
    /// Adds a node and the directories above it. An earlier node at the same path is replaced.
    pub(crate) fn add(&mut self, path: &str, node: Node) {
        let path = path.trim_matches('/');
        for (at, _) in path.match_indices('/') {
            let parent = Node::of_root(Kind::Directory, 0o755);
            self.nodes.entry(path[..at].to_owned()).or_insert(parent);
        }
        self.nodes.insert(path.to_owned(), node);
    }

    pub(crate) fn contains(&self, path: &str) -> bool {
        self.nodes.contains_key(path.trim_matches('/'))
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (inode, (path, node)) in (1..).zip(&self.nodes) {
            entry(&mut out, inode, path, node);
        }
        let trailer = Node::of_root(Kind::File(Vec::new()), 0);
        entry(&mut out, 0, "TRAILER!!!", &trailer);
        out
    }
}

fn entry(out: &mut Vec<u8>, inode: u32, path: &str, node: &Node) {
    let (kind, contents, (major, minor)) = match &node.kind {
        Kind::Directory => (DIRECTORY, [].as_slice(), (0, 0)),
        Kind::File(contents) => (FILE, contents.as_slice(), (0, 0)),
        Kind::Link(target) => (LINK, target.as_bytes(), (0, 0)),
        Kind::CharacterDevice { major, minor } => {
            (CHARACTER_DEVICE, [].as_slice(), (*major, *minor))
        }
    };
    let links = if node.kind == Kind::Directory { 2 } else { 1 };
    // newc has 32 bits for a size; the files of a guest with 4 GiB of memory are smaller.
    let size = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    let name_size = u32::try_from(path.len() + 1).unwrap_or(u32::MAX);
    // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), name size, check
    let Node { mode, uid, gid, .. } = node;
    let fields = [inode, kind | mode, *uid, *gid, links, 0, size, 0, 0, major, minor, name_size, 0];
    out.extend_from_slice(b"070701");
    for field in fields {
        out.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    out.extend_from_slice(path.as_bytes());
    out.push(0);
    pad(out);
    out.extend_from_slice(contents);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_and_order_is_fixed() {
        let link = Node::of_root(Kind::Link("a".to_owned()), 0o777);
        let file = Node::of_root(Kind::File(b"text".to_vec()), 0o755);
        let mut one = Archive::default();
        one.add("/bin/b", link.clone());
        one.add("bin/a", file.clone());
        let mut other = Archive::default();
        other.add("bin/a", file);
        other.add("bin/b", link);
        let bytes = one.write();
        assert_eq!(bytes, other.write());
        assert_eq!(bytes.len() % 4, 0);
        let names = ["bin\0", "bin/a\0", "text", "bin/b\0", "TRAILER!!!\0"];
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let places: Vec<_> = names.iter().map(|name| text.find(name)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    }

    #[test]
    fn header_is_110_bytes() {
        let bytes = Archive::default().write();
        assert_eq!(bytes.len(), (110 + "TRAILER!!!".len() + 1).next_multiple_of(4));
        assert!(bytes.starts_with(b"070701"));
    }
}
