//! Archives: tar, also compressed.

use std::io::Read as _;

use super::compression::decompress;
use super::tar::{self, Entry};
use crate::error::{At as _, Error, Result};
use crate::tree::Tree;

/// The files of an archive.
pub(super) fn read(contents: &[u8]) -> Result<Tree> {
    let mut tree = Tree::default();
    entries(contents, |entry| entry.add_to(&mut tree))?;
    Ok(tree)
}

/// Gives `each` the entries of an archive.
pub(super) fn entries(contents: &[u8], each: impl FnMut(Entry) -> Result<()>) -> Result<()> {
    let mut plain = decompress(contents)?;
    let mut start = Vec::new();
    plain.by_ref().take(512).read_to_end(&mut start).at("decompression")?;
    if !tar::is_archive(&start) {
        return Err(Error::new("neither a tar archive nor a Debian package").hint(
            "a system is put together from directories, tar archives (plain, gz, bz2, xz, zst), Debian \
             packages, OCI image layouts and WebAssembly programs",
        ));
    }
    tar::read(start.as_slice().chain(plain), each)
}
