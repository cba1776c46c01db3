//! Archives: tar, also compressed, and Debian packages.

use std::io::{Cursor, Read};

use super::{Files, outside};
use crate::error::{At as _, Error, Result};
use crate::tree::{Kind, Node, Tree, normalize};

/// What a Debian package for the guest says of its architecture.
const ARCHITECTURES: [&str; 2] = ["wasm32", "all"];

pub(super) fn read(contents: &[u8]) -> Result<Files> {
    if contents.starts_with(b"!<arch>\n") {
        return package(contents);
    }
    let mut files = Files::default();
    layer(&mut files.tree, contents)?;
    Ok(files)
}

/// Adds the files of a tar archive, which may be compressed.
pub(super) fn layer(tree: &mut Tree, contents: &[u8]) -> Result<()> {
    tar(tree, &decompress(contents)?)
}

/// By the first bytes, as names tell little.
fn decompress(contents: &[u8]) -> Result<Vec<u8>> {
    let mut reader: Box<dyn Read + '_> = match contents {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(contents)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Box::new(lzma_rust2::XzReader::new(contents, true))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            Box::new(ruzstd::decoding::StreamingDecoder::new(contents).at("zstd")?)
        }
        _ => Box::new(contents),
    };
    let mut plain = Vec::new();
    reader.read_to_end(&mut plain).at("decompression")?;
    Ok(plain)
}

fn tar(tree: &mut Tree, contents: &[u8]) -> Result<()> {
    // "ustar" stands in every header that any tar of this century writes; an empty archive is zeros.
    let magic = contents.get(257..262).unwrap_or_default();
    if magic != b"ustar" && (contents.is_empty() || contents.iter().any(|byte| *byte != 0)) {
        return Err(Error::new("neither a tar archive nor a Debian package").hint(
            "a system is put together from directories, tar archives (plain, gz, xz, zst), Debian \
             packages, OCI image layouts and WebAssembly programs",
        ));
    }
    let mut archive = tar::Archive::new(Cursor::new(contents));
    let mut hard_links = Vec::new();
    for entry in archive.entries().at("tar")? {
        let mut entry = entry.at("tar")?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = normalize(&name).ok_or_else(|| outside(&name))?;
        let header = entry.header();
        let target =
            entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
        let target = || target.clone().ok_or_else(|| Error::new("a link to nothing").at(&name));
        let device = || {
            let number = |found: std::io::Result<Option<u32>>| Ok(found.at(&name)?.unwrap_or(0));
            Result::Ok((number(header.device_major())?, number(header.device_minor())?))
        };
        let kind = match header.entry_type() {
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                Kind::File(Vec::new())
            }
            tar::EntryType::Directory => Kind::Directory,
            tar::EntryType::Symlink => Kind::Link(target()?),
            tar::EntryType::Fifo => Kind::Fifo,
            tar::EntryType::Char => {
                let (major, minor) = device()?;
                Kind::CharacterDevice { major, minor }
            }
            tar::EntryType::Block => {
                let (major, minor) = device()?;
                Kind::BlockDevice { major, minor }
            }
            tar::EntryType::Link => {
                let target = target()?;
                hard_links.push((path, normalize(&target).ok_or_else(|| outside(&target))?));
                continue;
            }
            // Headers of extensions, which the library has read.
            _ => continue,
        };
        let (mode, uid, gid) = (header.mode().at(&name)?, header.uid(), header.gid());
        let owner = |id: std::io::Result<u64>| {
            u32::try_from(id.at(&name)?).map_err(|_| Error::new("the owner's number is too large"))
        };
        let mut node = Node { kind, mode: mode & 0o7777, uid: owner(uid)?, gid: owner(gid)? };
        if let Kind::File(contents) = &mut node.kind {
            entry.read_to_end(contents).at(&name)?;
        }
        if !path.is_empty() {
            tree.add(&path, node);
        }
    }
    for (path, target) in hard_links {
        let node = tree.get(&target).cloned();
        let node = node.ok_or_else(|| Error::new("a link to nothing").at(&path))?;
        tree.add(&path, node);
    }
    Ok(())
}

/// A Debian package: deb(5).
fn package(contents: &[u8]) -> Result<Files> {
    let mut archive = ar::Archive::new(contents);
    let (mut control, mut data) = (None, None);
    while let Some(member) = archive.next_entry() {
        let mut member = member.at("ar")?;
        let name = String::from_utf8_lossy(member.header().identifier()).into_owned();
        let place = match name.split('.').next() {
            Some("control") => &mut control,
            Some("data") => &mut data,
            _ => continue,
        };
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).at(&name)?;
        *place = Some((name, bytes));
    }
    let part = |found: Option<(String, Vec<u8>)>, name: &str| {
        found.ok_or_else(|| Error::new(format!("the package has no {name}")))
    };
    let (name, bytes) = part(control, "control.tar")?;
    let mut about = Tree::default();
    layer(&mut about, &bytes).map_err(|error| error.at(name))?;
    let architecture = architecture(&about).unwrap_or_default();
    if !ARCHITECTURES.contains(&architecture.as_str()) {
        return Err(Error::new(format!("a package for {architecture:?}"))
            .hint("the guest runs WebAssembly programs: Architecture: wasm32, or all"));
    }
    let (name, bytes) = part(data, "data.tar")?;
    let mut files = Files::default();
    layer(&mut files.tree, &bytes).map_err(|error| error.at(name))?;
    Ok(files)
}

fn architecture(about: &Tree) -> Option<String> {
    let Kind::File(control) = &about.get("control")?.kind else { return None };
    let control = String::from_utf8_lossy(control);
    let line = control.lines().find_map(|line| line.strip_prefix("Architecture:"))?;
    Some(line.trim().to_owned())
}
