//! The newc form of cpio, which the kernel unpacks as its first root file system
//! (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! The same files always give the same bytes: sorted and without time.

use crate::tree::{Kind, Node, Tree};

const FIFO: u32 = 0o010_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
const DIRECTORY: u32 = 0o040_000;
const BLOCK_DEVICE: u32 = 0o060_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

pub(crate) fn write(tree: &Tree) -> Vec<u8> {
    let mut out = Vec::new();
    for (inode, (path, node)) in (1..).zip(tree.iter()) {
        entry(&mut out, inode, path, node);
    }
    let trailer = Node::of_root(Kind::File(Vec::new()), 0);
    entry(&mut out, 0, "TRAILER!!!", &trailer);
    out
}

fn entry(out: &mut Vec<u8>, inode: u32, path: &str, node: &Node) {
    let none = [].as_slice();
    let (kind, contents, (major, minor)) = match &node.kind {
        Kind::Directory => (DIRECTORY, none, (0, 0)),
        Kind::File(contents) => (FILE, contents.as_slice(), (0, 0)),
        Kind::Link(target) => (LINK, target.as_bytes(), (0, 0)),
        Kind::Fifo => (FIFO, none, (0, 0)),
        Kind::CharacterDevice { major, minor } => (CHARACTER_DEVICE, none, (*major, *minor)),
        Kind::BlockDevice { major, minor } => (BLOCK_DEVICE, none, (*major, *minor)),
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
        let link = Node::link_to("a");
        let file = Node::of_root(Kind::File(b"text".to_vec()), 0o755);
        let mut one = Tree::default();
        one.add("/bin/b", link.clone());
        one.add("bin/a", file.clone());
        let mut other = Tree::default();
        other.add("bin/a", file);
        other.add("bin/b", link);
        let bytes = write(&one);
        assert_eq!(bytes, write(&other));
        assert_eq!(bytes.len() % 4, 0);
        let names = ["bin\0", "bin/a\0", "text", "bin/b\0", "TRAILER!!!\0"];
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let places: Vec<_> = names.iter().map(|name| text.find(name)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    }

    #[test]
    fn header_is_110_bytes() {
        let bytes = write(&Tree::default());
        assert_eq!(bytes.len(), (110 + "TRAILER!!!".len() + 1).next_multiple_of(4));
        assert!(bytes.starts_with(b"070701"));
    }
}
