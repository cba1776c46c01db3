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
        // Some writers leave the owner blank.
        let owner = |id: std::io::Result<u64>| {
            u32::try_from(id.unwrap_or(0))
                .map_err(|_| Error::new("the owner's number is too large"))
        };
        let mut node = Node {
            kind,
            mode: header.mode().at(&name)? & 0o7777,
            uid: owner(header.uid())?,
            gid: owner(header.gid())?,
        };
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn archive() -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o4755);
        header.set_size(5);
        builder.append_data(&mut header, "./usr/bin/tool", b"hello".as_slice()).expect("a file");
        header.set_size(0);
        header.set_entry_type(tar::EntryType::Symlink);
        builder.append_link(&mut header, "bin", "usr/bin").expect("a link");
        header.set_entry_type(tar::EntryType::Link);
        builder.append_link(&mut header, "usr/bin/other", "usr/bin/tool").expect("a hard link");
        builder.into_inner().expect("an archive")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("compression");
        encoder.finish().expect("compression")
    }

    fn package(architecture: &str) -> Vec<u8> {
        let mut control = tar::Builder::new(Vec::new());
        let text = format!("Package: tool\nArchitecture: {architecture}\n");
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        control.append_data(&mut header, "./control", text.as_bytes()).expect("a file");
        let control = gzip(&control.into_inner().expect("an archive"));
        let mut package = ar::Builder::new(Vec::new());
        let members = [
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar.gz", control),
            ("data.tar", archive()),
        ];
        for (name, bytes) in members {
            let header = ar::Header::new(name.as_bytes().to_vec(), bytes.len() as u64);
            package.append(&header, bytes.as_slice()).expect("a member");
        }
        package.into_inner().expect("a package")
    }

    #[test]
    fn archives_and_packages_hold_the_same_files() {
        let plain = read(&archive()).expect("an archive").tree;
        let tool = plain.get("usr/bin/tool").expect("a file");
        assert_eq!((tool.mode, &tool.kind), (0o4755, &Kind::File(b"hello".to_vec())));
        assert_eq!(plain.get("bin").map(|node| &node.kind), Some(&Kind::Link("usr/bin".into())));
        assert_eq!(plain.get("usr/bin/other"), Some(tool));
        for packed in [gzip(&archive()), package("wasm32"), package("all")] {
            let tree = read(&packed).expect("files").tree;
            assert!(tree.iter().eq(plain.iter()));
        }
    }

    #[test]
    fn what_is_no_package_for_the_guest_is_refused() {
        let cut = &gzip(&archive())[..100];
        for (bytes, why) in [
            (package("amd64").as_slice(), "a package for \"amd64\""),
            (b"some text".as_slice(), "neither a tar archive"),
            (b"!<arch>\n".as_slice(), "the package has no control.tar"),
            (cut, "decompression"),
            (b"\x28\xb5\x2f\xfd".as_slice(), "zstd"),
        ] {
            let error = read(bytes).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.as_old_mut().name[..9].copy_from_slice(b"../escape");
        header.set_cksum();
        builder.append(&header, b"".as_slice()).expect("a file");
        let error = read(&builder.into_inner().expect("an archive")).expect_err("outside");
        assert!(error.to_string().contains("outside of the root file system"), "{error}");
    }
}
