//! A directory of this machine. All in it belongs to root: what it is for is another machine.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use super::Files;
use crate::error::{At as _, Error, Result};
use crate::tree::{Kind, Node, Tree};

pub(super) fn read(directory: &Path) -> Result<Files> {
    let mut files = Files::default();
    add(&mut files.tree, directory, "")?;
    Ok(files)
}

fn add(tree: &mut Tree, directory: &Path, below: &str) -> Result<()> {
    for entry in fs::read_dir(directory).at(directory.display())? {
        let path = entry.at(directory.display())?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::new("the name is not UTF-8").at(path.display()))?;
        let place = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let metadata = fs::symlink_metadata(&path).at(path.display())?;
        let kind = metadata.file_type();
        let node = if kind.is_symlink() {
            let target = fs::read_link(&path).at(path.display())?;
            Node::link_to(&target.to_string_lossy())
        } else {
            let contents = if kind.is_dir() {
                Kind::Directory
            } else if kind.is_file() {
                Kind::File(fs::read(&path).at(path.display())?)
            } else if kind.is_fifo() {
                Kind::Fifo
            } else {
                return Err(Error::new("a device or a socket")
                    .at(path.display())
                    .hint("devices come from an archive or from the guest's own /dev"));
            };
            Node::of_root(contents, metadata.mode() & 0o7777)
        };
        tree.add(&place, node);
        if kind.is_dir() {
            add(tree, &path, &place)?;
        }
    }
    Ok(())
}
