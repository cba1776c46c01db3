//! Debian packages: deb(5). An archive of ar with the version of the form, an archive of what the package
//! says of itself, and one of its files.

use super::archive;
use crate::error::{Error, Result};
use crate::tree::{Tree, shown};

pub(super) const MAGIC: &[u8] = b"!<arch>\n";

/// What a Debian package for the guest says of its architecture.
const ARCHITECTURES: [&str; 2] = ["wasm32", "all"];

/// The form of packages that there is.
const VERSION: &[u8] = b"2.";

pub(super) fn read(contents: &[u8]) -> Result<Tree> {
    let mut members = Members { rest: contents.strip_prefix(MAGIC).unwrap_or_default() };
    let (name, version) = members.next()?.unwrap_or_default();
    if name != b"debian-binary" {
        return Err(Error::new("an archive of ar, but no Debian package"));
    }
    if !version.starts_with(VERSION) {
        let version = shown(version.split(|byte| *byte == b'\n').next().unwrap_or_default());
        return Err(Error::new(format!("a Debian package of version {version}"))
            .hint("dpkg-deb --build makes packages of version 2.0"));
    }
    let (name, control) = members.part("control.tar")?;
    let about = archive::read(control).map_err(|error| error.at(name))?;
    let architecture = architecture(&about).unwrap_or_default();
    if !ARCHITECTURES.contains(&architecture.as_str()) {
        return Err(Error::new(format!("a package for {architecture:?}"))
            .hint("the guest runs WebAssembly programs: Architecture: wasm32, or all"));
    }
    let (name, data) = members.part("data.tar")?;
    archive::read(data).map_err(|error| error.at(name))
}

fn architecture(about: &Tree) -> Option<String> {
    let control = String::from_utf8_lossy(about.contents("control")?);
    let line = control.lines().find_map(|line| line.strip_prefix("Architecture:"))?;
    Some(line.trim().to_owned())
}

/// The members of an archive of ar: a header of 60 bytes before each, which starts at an even place.
struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Members<'a> {
    const HEADER: usize = 60;

    /// Name and contents.
    fn next(&mut self) -> Result<Option<(&'a [u8], &'a [u8])>> {
        let damaged = || Error::new("damaged").at("ar");
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (header, rest) = self.rest.split_at_checked(Self::HEADER).ok_or_else(damaged)?;
        let size = std::str::from_utf8(&header[48..58]).ok();
        let size = size.and_then(|size| size.trim_end().parse::<usize>().ok());
        if !header.ends_with(b"`\n") {
            return Err(damaged());
        }
        let (mut contents, rest) =
            size.and_then(|size| rest.split_at_checked(size)).ok_or_else(damaged)?;
        self.rest = match size {
            Some(size) if size % 2 == 1 => rest.get(1..).unwrap_or_default(),
            _ => rest,
        };
        let mut name = header[..16].trim_ascii_end();
        // BSD puts long names, or all, before the contents; others have a slash behind a name.
        if let Some(length) = name.strip_prefix(b"#1/") {
            let length = std::str::from_utf8(length).ok().and_then(|length| length.parse().ok());
            (name, contents) =
                length.and_then(|length| contents.split_at_checked(length)).ok_or_else(damaged)?;
            name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        }
        Ok(Some((name.strip_suffix(b"/").unwrap_or(name), contents)))
    }

    /// The next member, whose name begins with `wanted`. Those with an underscore before their name are for
    /// others.
    fn part(&mut self, wanted: &str) -> Result<(String, &'a [u8])> {
        while let Some((name, contents)) = self.next()? {
            if name.starts_with(b"_") {
                continue;
            }
            let rest = name.strip_prefix(wanted.as_bytes());
            return match rest {
                Some(b"" | b".gz" | b".xz" | b".zst" | b".bz2") => Ok((shown(name), contents)),
                Some(_) => Err(Error::new("compressed in a way that is not known").at(shown(name))),
                None => Err(Error::new(format!("{} where {wanted} should be", shown(name)))),
            };
        }
        Err(Error::new(format!("the package has no {wanted}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Kind;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = ::tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = ::tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(text.len() as u64);
            builder.append_data(&mut header, name, text.as_bytes()).expect("a file");
        }
        builder.into_inner().expect("an archive")
    }

    fn member(name: &str, contents: &[u8]) -> Vec<u8> {
        let size = contents.len();
        let mut member =
            format!("{name:16}{:12}{:6}{:6}{:8}{size:<10}`\n", 0, 0, 0, 644).into_bytes();
        member.extend_from_slice(contents);
        member.resize(member.len().next_multiple_of(2), b'\n');
        member
    }

    fn control(architecture: &str) -> Vec<u8> {
        archive(&[("./control", &format!("Package: tool\nArchitecture: {architecture}\n"))])
    }

    fn package(members: &[(&str, &[u8])]) -> Vec<u8> {
        let members = members.iter().flat_map(|(name, contents)| member(name, contents));
        MAGIC.iter().copied().chain(members).collect()
    }

    #[test]
    fn members_have_their_names_in_several_ways() {
        let (control, data) = (control("all"), archive(&[("./usr/bin/tool", "tool")]));
        let long = [b"control.tar\0\0\0\0\0".as_slice(), &control].concat();
        for members in [
            [
                ("debian-binary", b"2.0\n".as_slice()),
                ("control.tar", &control),
                ("data.tar", &data),
            ],
            [("debian-binary/", b"2.1\nmore"), ("control.tar/", &control), ("data.tar/", &data)],
            [("debian-binary", b"2.0\n"), ("#1/16", &long), ("data.tar", &data)],
        ] {
            let mut members = members.to_vec();
            members.insert(1, ("_odd", b"odd"));
            members.push(("more", b"ignored"));
            let tree = read(&package(&members)).expect("a package");
            let tool = tree.get("usr/bin/tool").map(|node| &node.kind);
            assert_eq!(tool, Some(&Kind::file("tool")));
        }
    }

    #[test]
    fn what_is_no_package_for_the_guest_is_refused() {
        let (all, amd64, data) = (control("all"), control("amd64"), archive(&[]));
        let version = ("debian-binary", b"2.0\n".as_slice());
        for (bytes, why) in [
            (package(&[]), "no Debian package"),
            (package(&[("a.o", b"")]), "no Debian package"),
            (package(&[("debian-binary", b"3.0\n")]), "a Debian package of version 3.0"),
            (package(&[version]), "the package has no control.tar"),
            (package(&[version, ("data.tar", &data)]), "data.tar where control.tar should be"),
            (package(&[version, ("control.tar", &amd64)]), "a package for \"amd64\""),
            (package(&[version, ("control.tar", &all)]), "the package has no data.tar"),
            (
                package(&[version, ("control.tar", &all), ("data.tar.lzma", b"")]),
                "data.tar.lzma: compressed in a way",
            ),
            (
                package(&[version, ("control.tar", &all), ("data.tar.zst", b"\x28\xb5\x2f\xfd")]),
                "data.tar.zst: decompression: zstd",
            ),
            ([MAGIC, b"debian-binary"].concat(), "ar: damaged"),
            (member("debian-binary", &[b'0'; 99])[..100].to_vec(), "no Debian package"),
        ] {
            let error = read(&bytes).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
        let whole = package(&[version, ("control.tar", &all), ("data.tar", &data)]);
        for length in 8..whole.len() {
            read(&whole[..length]).expect_err("cut");
        }
    }
}
