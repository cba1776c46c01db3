//! Files as a tar archive.

use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

use super::Files;
use crate::error::{At as _, Error, Result};
use crate::output;
use crate::tree::{Kind, Node};

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
        let mut archive = tar::Builder::new(Vec::new());
        for (path, node) in self.tree.iter() {
            let (mut header, contents) = header(node)?;
            match &node.kind {
                Kind::Link(target) => archive.append_link(&mut header, path, target)?,
                _ => archive.append_data(&mut header, path, contents)?,
            }
        }
        archive.into_inner()
    }
}

fn header(node: &Node) -> io::Result<(Header, &[u8])> {
    let mut header = Header::new_gnu();
    header.set_mode(node.mode);
    header.set_uid(node.uid.into());
    header.set_gid(node.gid.into());
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

    #[test]
    fn what_is_written_is_read() {
        let mut files = Files::default();
        files.tree.add("usr/bin/program", Node::of_root(Kind::File(b"text".to_vec()), 0o755));
        files.tree.add("bin", Node::link_to("usr/bin"));
        files
            .tree
            .add("dev/null", Node::of_root(Kind::CharacterDevice { major: 1, minor: 3 }, 0o666));
        files.tree.add(&"long/".repeat(60), Node::of_root(Kind::Directory, 0o700));
        files.tree.add("tmp", Node { kind: Kind::Fifo, mode: 0o600, uid: 1000, gid: 1001 });
        let read = archive::read(&files.archive().expect("an archive")).expect("files");
        assert!(read.tree.iter().eq(files.tree.iter()));
    }
}
