//! The newc form of cpio, which the kernel unpacks as its first root file system
//! (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! The same files always give the same bytes: sorted and with the times that the files bring.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::system::MOST_MEMORY;
use crate::tree::{Entry, Kind, Node, Tree};

const FIFO: u32 = 0o010_000;
const CHARACTER_DEVICE: u32 = 0o020_000;
const DIRECTORY: u32 = 0o040_000;
const BLOCK_DEVICE: u32 = 0o060_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

/// The name that ends an archive.
const END: &[u8] = b"TRAILER!!!";

pub(crate) fn write(tree: &Tree) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    // Inodes that have several names, with the number of names that are still to come.
    let mut shared = HashMap::new();
    for (number, Entry { path, node, file, names, .. }) in (1..).zip(tree.iter()) {
        // Links to symbolic links are files of their own, as the kernel reads them.
        let is_shared = names > 1 && !matches!(node.kind, Kind::Link(_));
        let (inode, left) = shared.entry(file).or_insert((number, names));
        *left -= 1;
        let header = Header {
            inode: *inode,
            links: if is_shared { names } else { 1 },
            // The contents come with the last name, as GNU cpio has it.
            has_contents: !is_shared || *left == 0,
        };
        entry(&mut out, &header, &name(path), node)?;
    }
    let trailer = Node::of_root(Kind::file([]), 0);
    entry(&mut out, &Header { inode: 0, links: 1, has_contents: false }, END, &trailer)?;
    Ok(out)
}

/// As the kernel is to read it: it stops at the name of the end.
fn name(path: Vec<u8>) -> Vec<u8> {
    match path.as_slice() {
        b"" => b".".to_vec(),
        END => [b"./", END].concat(),
        _ => path,
    }
}

struct Header {
    inode: u32,
    links: u32,
    has_contents: bool,
}

fn entry(out: &mut Vec<u8>, header: &Header, name: &[u8], node: &Node) -> Result<()> {
    let none = [].as_slice();
    let (kind, contents, (major, minor)) = match &node.kind {
        Kind::Directory => (DIRECTORY, none, (0, 0)),
        Kind::File(contents) => (FILE, contents.as_slice(), (0, 0)),
        Kind::Link(target) => (LINK, target.as_slice(), (0, 0)),
        Kind::Fifo => (FIFO, none, (0, 0)),
        Kind::CharacterDevice { major, minor } => (CHARACTER_DEVICE, none, (*major, *minor)),
        Kind::BlockDevice { major, minor } => (BLOCK_DEVICE, none, (*major, *minor)),
    };
    let contents = if header.has_contents { contents } else { none };
    let links = if node.kind == Kind::Directory { 2 } else { header.links };
    // What fits a guest fits the 32 bits of newc as well.
    if out.len() as u64 + contents.len() as u64 > MOST_MEMORY {
        return Err(Error::new("the files of the root file system do not fit any guest's memory")
            .hint("a guest has 3G at most; larger files can be on a disk"));
    }
    let size = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    // The tree has no longer paths than 4,095 bytes.
    let name_size = u32::try_from(name.len() + 1).unwrap_or(u32::MAX);
    // inode, mode, uid, gid, links, mtime, size, device (2), special device (2), name size, check
    let Node { mode, uid, gid, time, .. } = node;
    let mode = kind | mode;
    let fields =
        [header.inode, mode, *uid, *gid, links, *time, size, 0, 0, major, minor, name_size, 0];
    out.extend_from_slice(b"070701");
    for field in fields {
        out.extend_from_slice(format!("{field:08X}").as_bytes());
    }
    out.extend_from_slice(name);
    out.push(0);
    pad(out);
    out.extend_from_slice(contents);
    pad(out);
    Ok(())
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, Node)]) -> Tree {
        let mut tree = Tree::default();
        for (path, node) in files {
            tree.add(path, node.clone()).expect("added");
        }
        tree
    }

    #[test]
    fn parents_come_first_and_order_is_fixed() {
        let link = Node::link_to("a");
        let file = Node::of_root(Kind::file("text"), 0o755);
        let bytes = write(&tree(&[("/bin/b", link.clone()), ("bin/a", file.clone())]));
        let bytes = bytes.expect("written");
        assert_eq!(bytes, write(&tree(&[("bin/a", file), ("bin/b", link)])).expect("written"));
        assert_eq!(bytes.len() % 4, 0);
        let names = ["bin\0", "bin/a\0", "text", "bin/b\0", "TRAILER!!!\0"];
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let places: Vec<_> = names.iter().map(|name| text.find(name)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    }

    #[test]
    fn header_is_110_bytes() {
        let bytes = write(&Tree::default()).expect("written");
        assert_eq!(bytes.len(), (110 + "TRAILER!!!".len() + 1).next_multiple_of(4));
        assert!(bytes.starts_with(b"070701"));
    }

    #[test]
    fn names_of_one_file_share_an_inode_and_contents_come_once() {
        let mut files = tree(&[("a", Node::of_root(Kind::file("text"), 0o644))]);
        files.link(b"b", b"a").expect("linked");
        files.link(b"c", b"b").expect("linked");
        let text = String::from_utf8(write(&files).expect("written")).expect("text");
        let headers: Vec<&str> = text.split("070701").skip(1).collect();
        let field = |header: &str, field: usize| header[field * 8..][..8].to_owned();
        let of_all = |number: usize| -> Vec<_> {
            headers[..3].iter().map(|header| field(header, number)).collect()
        };
        assert_eq!(of_all(0), ["00000001"; 3]);
        assert_eq!(of_all(4), ["00000003"; 3]);
        assert_eq!(of_all(6), ["00000000", "00000000", "00000004"]);
    }

    #[test]
    fn a_file_with_the_name_of_the_end_is_not_the_end() {
        let file = Node::of_root(Kind::file("text"), 0o644);
        let bytes = write(&tree(&[("TRAILER!!!", file.clone()), ("z", file)])).expect("written");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.find("./TRAILER!!!\0") < text.find("z\0"));
        assert_eq!(
            text.matches("\u{0}TRAILER!!!").count() + text.matches("00000000TRAILER").count(),
            1
        );
    }
}
