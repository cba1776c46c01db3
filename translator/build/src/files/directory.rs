//! A directory of this machine. All in it belongs to root: what it is for is another machine.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use crate::error::{At as _, Error, Result};
use crate::system::MOST_MEMORY;
use crate::tree::{Kind, Node, Tree};

pub(super) fn read(directory: &Path) -> Result<Tree> {
    let mut reader = Reader { tree: Tree::default(), names: HashMap::new() };
    reader.add(directory, b"")?;
    Ok(reader.tree)
}

struct Reader {
    tree: Tree,
    /// The first names of files that have several: device and inode.
    names: HashMap<(u64, u64), Vec<u8>>,
}

impl Reader {
    fn add(&mut self, directory: &Path, below: &[u8]) -> Result<()> {
        for entry in fs::read_dir(directory).at(directory.display())? {
            let path = entry.at(directory.display())?.path();
            let name = path.file_name().unwrap_or_default().as_bytes();
            let place = if below.is_empty() { name.to_vec() } else { [below, b"/", name].concat() };
            let metadata = fs::symlink_metadata(&path).at(path.display())?;
            let kind = metadata.file_type();
            let inode = (metadata.dev(), metadata.ino());
            if !kind.is_dir() && metadata.nlink() > 1 {
                if let Some(first) = self.names.get(&inode) {
                    self.tree.link(&place, first)?;
                    continue;
                }
                self.names.insert(inode, place.clone());
            }
            let node = if kind.is_symlink() {
                let target = fs::read_link(&path).at(path.display())?;
                Node::link_to(target.as_os_str().as_bytes())
            } else {
                let contents = if kind.is_dir() {
                    Kind::Directory
                } else if kind.is_file() {
                    if metadata.len() > MOST_MEMORY {
                        return Err(Error::new("larger than any guest's memory")
                            .at(path.display())
                            .hint("a guest has 3G at most; larger files can be on a disk"));
                    }
                    Kind::file(fs::read(&path).at(path.display())?)
                } else if kind.is_fifo() {
                    Kind::Fifo
                } else {
                    return Err(Error::new("a device or a socket")
                        .at(path.display())
                        .hint("devices come from an archive or from the guest's own /dev"));
                };
                Node::of_root(contents, metadata.mode() & 0o7777)
            };
            self.tree.add(&place, node)?;
            if kind.is_dir() {
                self.add(&path, &place)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn names_are_bytes_and_may_be_of_one_file() {
        let place = std::env::temp_dir().join(format!("linnet-directory-{}", std::process::id()));
        fs::create_dir_all(&place).expect("a directory");
        let odd = |name: &[u8]| place.join(OsStr::from_bytes(name));
        fs::write(odd(b"caf\xe9"), "one").expect("written");
        fs::write(odd(b"caf\xe8"), "two").expect("written");
        fs::hard_link(odd(b"caf\xe9"), odd(b"again")).expect("linked");
        std::os::unix::fs::symlink(OsStr::from_bytes(b"/o\xe9"), odd(b"link")).expect("linked");
        let tree = read(&place).expect("files");
        assert_eq!(tree.contents(b"caf\xe9").map(|it| it.as_slice()), Some(b"one".as_slice()));
        assert_eq!(tree.get("link"), Some(&Node::link_to(b"/o\xe9")));
        let names: Vec<u32> = tree.iter().map(|entry| entry.names).collect();
        assert_eq!(names, [2, 1, 2, 1]);
        fs::remove_dir_all(&place).expect("removed");
    }
}
