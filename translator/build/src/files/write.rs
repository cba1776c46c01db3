//! Files as a tar archive.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::Path;

use ::tar::{EntryType, Header};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Files;
use crate::error::{At as _, Error, Result};
use crate::output;
use crate::tree::{Entry, Kind, Node};

impl Files {
    /// Writes all to a tar archive, which is compressed if its name ends in `gz`. The same files always
    /// give the same archive.
    pub fn write(&self, path: &Path) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_compressed = name.ends_with(".tar.gz") || name.ends_with(".tgz");
        if !is_compressed && !name.ends_with(".tar") {
            return Err(Error::new("an archive's name tells its form")
                .at(path.display())
                .hint("name it .tar or .tar.gz")
                .usage());
        }
        let mut archive = self.archive().at(path.display())?;
        if is_compressed {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&archive).at(path.display())?;
            archive = encoder.finish().at(path.display())?;
        }
        output::write(path, &archive, 0o644)
    }

    fn archive(&self) -> io::Result<Vec<u8>> {
        let mut archive = ::tar::Builder::new(Vec::new());
        let mut first_names = HashMap::new();
        for Entry { path, node, file, names, is_implied } in self.tree.iter() {
            // Where it is read, it is as it is there.
            if is_implied {
                continue;
            }
            let (mut header, contents) = header(node)?;
            let first = first_names.get(&file);
            let (link, contents) = match (&node.kind, first) {
                (_, Some(first)) => {
                    header.set_entry_type(EntryType::Link);
                    header.set_size(0);
                    (first, [].as_slice())
                }
                (Kind::Link(target), None) => (target, contents),
                _ => (&Vec::new(), contents),
            };
            let path = if path.is_empty() { b"./".to_vec() } else { path };
            append(&mut archive, header, &path, link, contents)?;
            if names > 1 && first.is_none() {
                first_names.insert(file, path);
            }
        }
        archive.into_inner()
    }
}

/// Appends an entry with exactly these names, in a header before it if they are too long.
fn append(
    archive: &mut ::tar::Builder<Vec<u8>>,
    mut header: Header,
    path: &[u8],
    link: &[u8],
    contents: &[u8],
) -> io::Result<()> {
    let mut records = Vec::new();
    let old = header.as_old_mut();
    for (key, name, field) in [("path", path, &mut old.name), ("linkpath", link, &mut old.linkname)]
    {
        let length = name.len().min(field.len());
        field[..length].copy_from_slice(&name[..length]);
        if length < name.len() {
            records.push((key, name));
        }
    }
    if records.iter().any(|(_, name)| std::str::from_utf8(name).is_err()) {
        records.insert(0, ("hdrcharset", b"BINARY"));
    }
    if !records.is_empty() {
        archive.append_pax_extensions(records)?;
    }
    header.set_cksum();
    archive.append(&header, contents)
}

fn header(node: &Node) -> io::Result<(Header, &[u8])> {
    let mut header = Header::new_gnu();
    header.set_mode(node.mode);
    header.set_uid(node.uid.into());
    header.set_gid(node.gid.into());
    header.set_mtime(node.time.into());
    header.set_size(0);
    let mut contents: &[u8] = &[];
    let kind = match &node.kind {
        Kind::Directory => EntryType::Directory,
        Kind::File(bytes) => {
            header.set_size(bytes.len() as u64);
            contents = bytes;
            EntryType::Regular
        }
        Kind::Link(_) => EntryType::Symlink,
        Kind::Fifo => EntryType::Fifo,
        Kind::CharacterDevice { major, minor } => {
            header.set_device_major(*major)?;
            header.set_device_minor(*minor)?;
            EntryType::Char
        }
        Kind::BlockDevice { major, minor } => {
            header.set_device_major(*major)?;
            header.set_device_minor(*minor)?;
            EntryType::Block
        }
    };
    header.set_entry_type(kind);
    Ok((header, contents))
}

#[cfg(test)]
mod tests {
    use super::super::archive;
    use super::*;
    use crate::digest::Key;

    #[test]
    fn what_is_written_is_read() {
        let mut files = Files::default();
        let long = "n".repeat(200);
        for (path, node) in [
            (b"".as_slice(), Node::of_root(Kind::Directory, 0o711)),
            (b"usr/bin/program", Node::of_root(Kind::file("text"), 0o4755)),
            (b"usr/lib/.", Node { time: 1_700_000_000, ..Node::of_root(Kind::Directory, 0o700) }),
            (b"bin", Node::link_to("./usr//bin/")),
            (b"long", Node::link_to([b"\xe9/", long.as_bytes()].concat())),
            (b"dev/null", Node::of_root(Kind::CharacterDevice { major: 1, minor: 3 }, 0o666)),
            (b"dev/sda", Node::of_root(Kind::BlockDevice { major: 4095, minor: 1_048_575 }, 0o600)),
            (
                "long/".repeat(60).replace("long", "l").as_bytes(),
                Node::of_root(Kind::Directory, 0o700),
            ),
            ([b"\xe9/", long.as_bytes()].concat().as_slice(), Node::of_root(Kind::file(""), 0)),
            (b"caf\xe9", Node::of_root(Kind::file("x"), 0)),
            (b"tmp", Node { kind: Kind::Fifo, mode: 0o600, uid: 1000, gid: u32::MAX - 1, time: 7 }),
        ] {
            files.tree.add(path, node).expect("added");
        }
        files.tree.link(b"usr/bin/again", b"usr/bin/program").expect("linked");
        files.tree.link(long.as_bytes(), b"caf\xe9").expect("linked");
        let bytes = files.archive().expect("an archive");
        let read = Files { tree: archive::read(&bytes).expect("files") };
        assert!(read.tree.iter().map(|it| it.path).eq(files.tree.iter().map(|it| it.path)));
        let key = |files: &Files| files.with_key(Key::new("test")).finish();
        assert_eq!(key(&read), key(&files));
        assert_eq!(read.archive().expect("an archive"), bytes);
    }
}
