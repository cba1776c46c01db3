use std::fs;
use std::path::{Path, PathBuf};

use super::super::archive;
use super::*;
use crate::tree::Entry as Named;

/// A header of ustar with these fields changed, its contents, and what fills the last block.
fn entry(name: &str, kind: u8, contents: &[u8], fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut block = [0; BLOCK];
    let size = format!("{:011o}", contents.len());
    let usual: [(usize, &[u8]); 7] = [
        (0, name.as_bytes()),
        (100, b"0000644"),
        (108, b"0000000"),
        (116, b"0000000"),
        (124, size.as_bytes()),
        (136, b"00000000000"),
        (257, b"ustar\x0000"),
    ];
    for (at, bytes) in usual.iter().chain(fields) {
        block[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    block[156] = kind;
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut bytes = block.to_vec();
    bytes.extend_from_slice(contents);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn file(name: &str, text: &str) -> Vec<u8> {
    entry(name, b'0', text.as_bytes(), &[])
}

fn link(name: &str, kind: u8, target: &str) -> Vec<u8> {
    entry(name, kind, b"", &[(157, target.as_bytes())])
}

/// The records of an extended header before an entry, or before all.
fn pax(kind: u8, records: &[(&str, &[u8])]) -> Vec<u8> {
    let mut data = Vec::new();
    for (key, value) in records {
        let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
        let length = (1..).find(|digits| (digits + rest.len()).to_string().len() == *digits);
        let length = length.unwrap_or_default() + rest.len();
        data.extend_from_slice(format!("{length}").as_bytes());
        data.extend_from_slice(&rest);
    }
    entry("pax", kind, &data, &[])
}

fn tree(parts: &[Vec<u8>]) -> Result<Tree> {
    archive::read(&parts.concat())
}

/// `path` with what is there, and the number of names if there are several.
fn listed(tree: &Tree) -> String {
    let line = |Named { path, node, names, .. }: Named<'_>| {
        let what = match &node.kind {
            Kind::Directory => "/".to_owned(),
            Kind::File(contents) => format!("={}", shown(contents)),
            Kind::Link(target) => format!(">{}", shown(target)),
            Kind::Fifo => "|".to_owned(),
            Kind::CharacterDevice { major, minor } => format!(" c{major}:{minor}"),
            Kind::BlockDevice { major, minor } => format!(" b{major}:{minor}"),
        };
        let names = if names > 1 { format!("({names})") } else { String::new() };
        format!("{}{what}{names}", shown(&path))
    };
    tree.iter().map(line).collect::<Vec<_>>().join(" ")
}

fn lists(parts: &[Vec<u8>], wanted: &str) {
    assert_eq!(listed(&tree(parts).expect("an archive")), wanted);
}

fn refuses(parts: &[Vec<u8>], why: &str) {
    let error = tree(parts).expect_err(why);
    assert!(error.message().contains(why), "{error}, not {why}");
}

#[test]
fn names_are_bytes() {
    let latin = |name: &[u8]| entry("", b'0', b"x", &[(0, name)]);
    lists(&[latin(b"caf\xe8"), latin(b"caf\xe9")], "caf\\xe8=x caf\\xe9=x");
    lists(&[latin(b"a\nb"), latin(b"a\\b"), latin(b" ")], " =x a\\x0ab=x a\\b=x");
    lists(
        &[pax(b'x', &[("path", b"caf\xe9"), ("hdrcharset", b"BINARY")]), file("a", "x")],
        "caf\\xe9=x",
    );
    refuses(
        &[pax(b'x', &[("hdrcharset", b"ISO-IR 8859 1 1998")]), file("a", "x")],
        "a: names in ISO-IR 8859",
    );
}

#[test]
fn names_may_be_written_in_other_ways() {
    let prefix = entry("n", b'0', b"x", &[(345, b"some/prefix")]);
    let of_star = entry("n", b'0', b"x", &[(345, b"star"), (476, b"01234567 "), (508, b"tar\0")]);
    let of_gnu = entry("n", b'0', b"x", &[(257, b"ustar  \0"), (345, b"14750000000")]);
    lists(&[prefix, of_star, of_gnu], "n=x some/ some/prefix/ some/prefix/n=x star/ star/n=x");
    lists(
        &[file("./a", "1"), file("/b", "2"), file("c/./d//./e", "3"), file("./f/", "")],
        "a=1 b=2 c/ c/d/ c/d/e=3 f/",
    );
    let root = entry("./", b'5', b"", &[(100, b"0000711")]);
    let root = tree(&[root]).expect("an archive");
    assert_eq!(root.get("/").map(|node| node.mode), Some(0o711));
    for name in ["../a", "a/../b", "a/..", ".."] {
        refuses(&[file(name, "")], "a name with .. in it");
        refuses(&[file("x", ""), link("b", b'1', name)], "a name with .. in it");
    }
    refuses(&[file("", "")], "an entry without a name");
    refuses(&[file(".", "")], "the root is a directory");
    refuses(
        &[file(&"n".repeat(100), ""), pax(b'x', &[("path", &[b'n'; 256])]), file("a", "")],
        "a name of 256",
    );
}

#[test]
fn later_entries_take_the_place_of_earlier_ones() {
    let directory = |name| entry(name, b'5', b"", &[]);
    lists(&[file("a", "1"), file("a", "2")], "a=2");
    lists(&[file("a", "1"), directory("a"), file("a/b", "2")], "a/ a/b=2");
    lists(&[file("a/b", "1"), file("a", "2")], "a=2");
    lists(&[link("a", b'2', "b"), file("a", "1")], "a=1");
    lists(&[link("a", b'2', "b"), file("a/c", "1")], "a>b b/ b/c=1");
    lists(&[link("a", b'2', "/../../b"), file("a/c", "1")], "a>/../../b b/ b/c=1");
    lists(
        &[file("b/x", "1"), link("a", b'2', "b"), directory("a"), file("a/c", "2")],
        "a/ a/c=2 b/ b/x=1",
    );
    refuses(&[file("a", "1"), file("a/b", "2")], "a/b: a is no directory");
    refuses(&[link("a", b'2', "a"), file("a/b", "2")], "a/b: too many links");
}

#[test]
fn hard_links_are_to_what_was_there_when_they_came() {
    lists(
        &[file("a", "1"), link("b", b'1', "./a"), link("c", b'1', "b"), file("a", "2")],
        "a=2 b=1(2) c=1(2)",
    );
    lists(&[file("a", "1"), link("b", b'1', "a"), file("b", "2")], "a=1 b=2");
    lists(&[file("a", "1"), link("a", b'1', "a")], "a=1");
    lists(&[link("a", b'2', "x"), link("b", b'1', "a")], "a>x(2) b>x(2)");
    let long = "n".repeat(90);
    let gnu = |kind, text: &str| entry("././@LongLink", kind, format!("{text}\0").as_bytes(), &[]);
    let name = format!("{long}/{long}/{long}");
    lists(
        &[
            gnu(b'L', &name),
            file("cut", "1"),
            gnu(b'K', &name),
            link("b", b'1', "cut"),
            pax(b'x', &[("linkpath", name.as_bytes())]),
            link("c", b'1', "cut"),
            gnu(b'K', &name),
            link("d", b'2', "cut"),
        ],
        &format!("b=1(3) c=1(3) d>{name} {long}/ {long}/{long}/ {name}=1(3)"),
    );
    refuses(&[link("a", b'1', "b"), file("b", "")], "a: a hard link to b, which is not there");
    refuses(
        &[entry("b", b'5', b"", &[]), link("a", b'1', "b")],
        "a: a hard link to the directory b",
    );
    refuses(&[file("b", ""), link("a", b'1', "")], "a: a link to nothing");
    // Other tools write the size of the file, and no contents; pax may have both.
    let sized = entry("b", b'1', b"", &[(157, b"a"), (124, b"00000000001")]);
    lists(&[file("a", "1"), sized, file("c", "2")], "a=1(2) b=1(2) c=2");
    let linked = |text: &[u8]| entry("b", b'1', text, &[(157, b"a")]);
    lists(
        &[file("a", "1"), pax(b'x', &[("comment", b"")]), linked(b"1"), file("c", "2")],
        "a=1(2) b=1(2) c=2",
    );
    refuses(
        &[file("a", "1"), pax(b'x', &[("comment", b"")]), linked(b"2")],
        "b: a hard link with other contents",
    );
}

#[test]
fn types_are_those_of_posix_and_gnu() {
    let device =
        |kind, major: &[u8], minor: &[u8]| entry("d", kind, b"", &[(329, major), (337, minor)]);
    lists(&[device(b'3', b"0000001", b"0000003")], "d c1:3");
    lists(&[device(b'4', b"0000010", b"0000454")], "d b8:300");
    lists(
        &[pax(b'x', &[("SCHILY.devminor", b"70000")]), device(b'4', b"0000010", b"0000000")],
        "d b8:70000",
    );
    refuses(&[device(b'4', b"0010000", b"0000000")], "d: a device 4096:0");
    refuses(&[entry("d", b'3', b"", &[(257, &[0; 8])])], "d: the device is no number");
    let v7 = |name, kind, text: &[u8]| entry(name, kind, text, &[(257, &[0; 8])]);
    lists(&[v7("a", 0, b"1"), v7("d/", 0, b""), v7("e", b'7', b"2")], "a=1 d/ e=2");
    lists(&[entry("f", b'6', b"", &[(124, b"00000001000")]), file("a", "1")], "a=1 f|");
    // POSIX: a directory's size is about what may be in it.
    lists(&[entry("d", b'5', b"", &[(124, b"00000001000")]), file("a", "1")], "a=1 d/");
    let names = b"Yone\0Ntwo\0\0";
    lists(
        &[entry("d/", b'D', names, &[]), entry("LABEL", b'V', b"", &[]), file("a", "1")],
        "a=1 d/",
    );
    refuses(&[entry("a", b'M', b"rest", &[])], "a: a part of a file that began in another volume");
    for kind in [b'N', b'A', b'E', b'I', b'8', b'z', 0xff] {
        refuses(&[entry("a", kind, b"", &[])], "a: an entry of type '");
    }
    refuses(&[entry("a", b'S', b"", &[])], "a: a sparse file of another form");
}

#[test]
fn modes_owners_and_times_are_kept() {
    let large = |value: u32| [&[0x80, 0, 0, 0], value.to_be_bytes().as_slice()].concat();
    let owned = entry(
        "a",
        b'0',
        b"",
        &[(100, b"0104755"), (108, &large(3_000_000)), (116, b"       "), (136, b"14750000000")],
    );
    let node =
        |parts: &[Vec<u8>]| tree(parts).expect("an archive").get("a").cloned().expect("a file");
    let found = node(std::slice::from_ref(&owned));
    assert_eq!(
        (found.mode, found.uid, found.gid, found.time),
        (0o4755, 3_000_000, 0, 0o14_750_000_000)
    );
    let global = pax(b'g', &[("gid", b"7"), ("mtime", b"12.75")]);
    let own = pax(b'x', &[("gid", b""), ("uid", b"4294967294"), ("uname", b"joe")]);
    let found = node(&[global.clone(), own, owned.clone()]);
    assert_eq!((found.uid, found.gid, found.time), (u32::MAX - 1, 0, 12));
    let found = node(&[global, owned]);
    assert_eq!((found.uid, found.gid, found.time), (3_000_000, 7, 12));
    for (key, value, why) in [
        ("uid", b"4294967295".as_slice(), "a: uid 4294967295"),
        ("gid", b"99999999999", "a: gid 99999999999"),
        ("uid", b"-1", "a: uid: \"-1\""),
        ("mtime", b"-0.5", "a: mtime -1"),
        ("mtime", b"4294967296", "a: mtime 4294967296"),
        ("mtime", b"1e9", "a: mtime: \"1e9\""),
        ("size", b"99999999999999999999", "a: size: \"99999999999999999999\""),
        ("path", b"", "an empty path"),
    ] {
        refuses(&[pax(b'x', &[(key, value)]), file("a", "")], why);
    }
    for (at, field, why) in [
        (100, b"888".as_slice(), "a: the mode is no number"),
        (108, &[0xff; 8], "a: uid -1"),
        (124, &[0xff; 12], "a: the size is no number"),
        (136, &[0xff; 12], "a: mtime -1"),
    ] {
        refuses(&[entry("a", b'0', b"", &[(at, field)])], why);
    }
}

#[test]
fn what_would_be_lost_is_refused() {
    for key in [
        "SCHILY.xattr.security.capability",
        "SCHILY.xattr.user.a",
        "LIBARCHIVE.xattr.user.a",
        "SCHILY.acl.access",
        "RHT.security.selinux",
        "GNU.volume.offset",
    ] {
        refuses(
            &[pax(b'x', &[(key, b"1")]), file("a", "")],
            &format!("({key}), which is not kept"),
        );
        refuses(
            &[pax(b'g', &[(key, b"1")]), file("a", "")],
            &format!("({key}), which is not kept"),
        );
        let back = [pax(b'g', &[(key, b"1")]), pax(b'x', &[(key, b"")]), file("a", "")];
        lists(&back, "a=");
    }
    lists(&[pax(b'x', &[("atime", b"1.5"), ("VENDOR.key", b"\0\xff")]), file("a", "1")], "a=1");
}

#[test]
fn archives_end_as_they_may() {
    let zeros = |blocks| vec![0; BLOCK * blocks];
    lists(&[file("a", "1")], "a=1");
    lists(&[file("a", "1"), zeros(1)], "a=1");
    lists(&[file("a", "1"), zeros(20)], "a=1");
    lists(&[file("a", "1"), zeros(2), vec![b'x'; 700]], "a=1");
    lists(&[file("a", "1"), zeros(2), file("b", "2")], "a=1");
    lists(&[zeros(2)], "");
    lists(&[pax(b'g', &[("comment", b"0123")])], "");
    refuses(&[file("a", "1"), zeros(1), file("b", "2")], "tar: a block of zeros between");
    refuses(&[pax(b'x', &[("path", b"b")])], "the archive ends where a file should follow");
    refuses(&[file("a", "1"), vec![b'x'; 512]], "tar: a header that is damaged");
    refuses(&[vec![b'x'; 512]], "neither a tar archive");
    refuses(&[b"some text".to_vec()], "neither a tar archive");
    refuses(&[Vec::new()], "neither a tar archive");
    let whole =
        [pax(b'x', &[("path", b"long")]), file("a", "1"), file("b", &"2".repeat(600))].concat();
    for length in 1..whole.len() {
        // The contents of the first file are whole, or those of both.
        let is_whole = matches!(length, 1537..=2048 | 3160..);
        assert_eq!(archive::read(&whole[..length]).is_ok(), is_whole, "{length}");
    }
}

#[test]
fn sums_may_be_of_signed_bytes() {
    let mut old = entry("caf\u{e9}", b'0', b"1", &[]);
    let sum: i32 = old[..BLOCK]
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            let byte = if (148..156).contains(&at) { b' ' } else { *byte };
            i32::from(byte.cast_signed())
        })
        .sum();
    old[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    lists(&[old.clone()], "caf\u{e9}=1");
    old[0] = b'k';
    refuses(&[old], "a header that is damaged");
}

#[test]
fn sizes_that_are_lies_take_no_memory() {
    let size = |bytes: &[u8]| entry("a", b'0', b"", &[(124, bytes)]);
    refuses(&[size(b"77777777777")], "a: the files of the archive do not fit");
    refuses(&[size(b"20000000000")], "a: tar: the archive ends within a file");
    refuses(
        &[size(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff")],
        "a: the files of the archive do not fit",
    );
    let long = entry("a", b'L', b"", &[(124, b"77777777777")]);
    refuses(&[long], "more than 16 MiB of headers");
    let records = |value: &[u8]| {
        [pax(b'x', &[("GNU.sparse.size", value), ("GNU.sparse.map", b"0,0")]), file("a", "")]
    };
    lists(&records(b"2"), "a=\\x00\\x00");
    refuses(&records(b"9223372036854775807"), "a: the files of the archive do not fit");
    // Each of these would fit.
    let two = [file("a", &"1".repeat(600)), file("b", &"2".repeat(600))].concat();
    let mut archive = Archive { input: two.as_slice(), left: 2000, global_left: 0 };
    archive.entry(&mut Records::default()).expect("the first");
    let error = archive.entry(&mut Records::default()).expect_err("too much");
    assert!(error.message().starts_with("b: the files of the archive do not fit"), "{error}");
}

/// A directory, which goes when it is no longer needed.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("linnet-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What stays is in the directory for such files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What GNU tar makes of the files in a directory, if it is here.
fn of_gnu_tar(directory: &Path, options: &[&str]) -> Option<Vec<u8>> {
    let version = linnet_process::command("tar").arg("--version").output().ok()?;
    if !version.stdout.starts_with(b"tar (GNU tar)") {
        return None;
    }
    let output = linnet_process::command("tar")
        .arg("-C")
        .arg(directory)
        .args(options)
        .args(["--sort=name", "--numeric-owner", "-cf", "-", "."])
        .output()
        .expect("GNU tar");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

#[test]
fn what_gnu_tar_writes_is_the_same_in_every_form() {
    let place = Place::new("forms");
    let path = |name: &str| place.0.join(name);
    fs::create_dir_all(path("d/e")).expect("a directory");
    fs::write(path("d/file"), "text").expect("written");
    fs::write(path("d/empty"), "").expect("written");
    fs::hard_link(path("d/file"), path("d/e/again")).expect("linked");
    std::os::unix::fs::symlink("../file", path("d/e/link")).expect("linked");
    let short = listed(&super::super::directory::read(&place.0).expect("files"));
    for form in ["v7", "ustar", "oldgnu", "gnu", "posix"] {
        let Some(bytes) = of_gnu_tar(&place.0, &[&format!("--format={form}")]) else { return };
        let tree = archive::read(&bytes).expect(form);
        assert_eq!(listed(&tree), format!("/ {short}"), "{form}");
    }
    let deep = format!("{}/{}", "long".repeat(40), "n".repeat(255));
    fs::create_dir_all(path(&"long".repeat(40))).expect("a directory");
    fs::write(path(&deep), "deep").expect("written");
    std::os::unix::fs::symlink("x/".repeat(300), path("far")).expect("linked");
    fs::hard_link(path(&deep), path("near")).expect("linked");
    let long = listed(&super::super::directory::read(&place.0).expect("files"));
    for form in ["oldgnu", "gnu", "posix"] {
        let Some(bytes) = of_gnu_tar(&place.0, &[&format!("--format={form}")]) else { return };
        assert_eq!(listed(&archive::read(&bytes).expect(form)), format!("/ {long}"), "{form}");
    }
}

#[test]
fn files_with_holes_are_whole() {
    use std::os::unix::fs::FileExt as _;
    let place = Place::new("holes");
    let make = |name: &str| fs::File::create(place.0.join(name)).expect("a file");
    let ends = make("ends");
    ends.write_all_at(b"head", 0).expect("written");
    ends.write_all_at(b"tail", 3_000_000).expect("written");
    let pieces = make("pieces");
    for piece in 0..60 {
        // More than the header and one block behind it hold.
        let text = format!("{piece:04}").repeat(1024);
        pieces.write_all_at(text.as_bytes(), piece * 65536).expect("written");
    }
    pieces.set_len(60 * 65536 + 12345).expect("longer");
    make("hole").set_len(500_000).expect("longer");
    make("full").write_all_at(&[b'x'; 1000], 0).expect("written");
    for form in ["gnu", "oldgnu", "posix", "posix 0.0", "posix 0.1", "posix 1.0"] {
        let (name, version) = form.split_once(' ').unwrap_or((form, ""));
        let (name, version) = (format!("--format={name}"), format!("--sparse-version={version}"));
        let options = ["-S", &name, &version];
        let options = if version.ends_with('=') { &options[..2] } else { &options };
        let Some(bytes) = of_gnu_tar(&place.0, options) else { return };
        let tree = archive::read(&bytes).expect(form);
        for file in ["ends", "pieces", "hole", "full"] {
            let wanted = fs::read(place.0.join(file)).expect("a file");
            let found = tree.contents(file).map(|contents| contents.as_slice() == wanted);
            assert_eq!(found, Some(true), "{form}: {file}");
        }
        assert_eq!(tree.iter().count(), 5, "{form}: the directory and four files");
    }
}

/// Archives that have something of all.
fn samples() -> Vec<Vec<u8>> {
    let sparse = entry(
        "s",
        b'S',
        b"abcdefgh",
        &[
            (257, b"ustar  \0"),
            (386, b"00000000001"),
            (398, b"00000000004"),
            (410, b"00000000010"),
            (422, b"00000000004"),
            (483, b"00000001000"),
        ],
    );
    let parts = [
        pax(b'g', &[("comment", b"0123"), ("mtime", b"1")]),
        file("a/b", "text"),
        sparse,
        link("a/c", b'1', "a/b"),
        link("l", b'2', "a"),
        pax(b'x', &[("path", b"l/long"), ("uid", b"1000"), ("mtime", b"1.5")]),
        file("cut", "more"),
        entry("././@LongLink", b'L', b"some/long/name\0", &[]),
        file("cut", ""),
        pax(
            b'x',
            &[("GNU.sparse.map", b"0,1,4,1"), ("GNU.sparse.size", b"9"), ("GNU.sparse.name", b"p")],
        ),
        file("cut", "xy"),
        pax(
            b'x',
            &[
                ("GNU.sparse.major", b"1"),
                ("GNU.sparse.minor", b"0"),
                ("GNU.sparse.realsize", b"9"),
            ],
        ),
        file("q", &format!("{:512}x", "1\n4\n1\n").replace(' ', "\0")),
        entry("dev", b'3', b"", &[(329, b"0000001"), (337, b"0000003")]),
        entry("d/", b'5', b"", &[]),
        file(".wh.a", ""),
        vec![0; 1024],
    ];
    let plain = parts.concat();
    let control = [file("control", "Architecture: all\n"), vec![0; 1024]].concat();
    let mut package = b"!<arch>\n".to_vec();
    for (name, bytes) in
        [("debian-binary", b"2.0\n".as_slice()), ("control.tar", &control), ("data.tar", &plain)]
    {
        let size = bytes.len();
        package.extend_from_slice(
            format!("{name:16}{:12}{:6}{:6}{:8}{size:<10}`\n", 0, 0, 0, 644).as_bytes(),
        );
        package.extend_from_slice(bytes);
    }
    vec![plain, package]
}

#[test]
fn damaged_archives_are_errors_or_archives() {
    /// xorshift64.
    struct Random(u64);
    impl Random {
        fn below(&mut self, end: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 % end as u64) as usize
        }
    }
    fn fix_sums(bytes: &mut [u8]) {
        for block in bytes.chunks_exact_mut(BLOCK).filter(|block| block[257..262] == *b"ustar") {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        }
    }
    let read = |bytes: &[u8]| match bytes.starts_with(super::super::deb::MAGIC) {
        true => super::super::deb::read(bytes).map(drop),
        false => {
            // As a layer as well.
            let _ = super::super::layer::apply(&mut Tree::default(), bytes, None);
            archive::read(bytes).and_then(|tree| crate::cpio::write(&tree)).map(drop)
        }
    };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let samples = samples();
    assert!(samples.iter().all(|sample| read(sample).is_ok()));
    let interesting = [0, b'0', b'7', b'9', b'/', b'.', b'L', b'S', b'x', 0x80, 0xff, b'\n', b'='];
    let mut good = 0;
    for round in 0..10_000 {
        let mut bytes = samples[round % samples.len()].clone();
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            match random.below(6) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = interesting[random.below(interesting.len())],
                2 => {
                    let block = at / BLOCK * BLOCK;
                    let end = (block + BLOCK).min(bytes.len());
                    let copy = bytes[block..end].to_vec();
                    let to = random.below(bytes.len() / BLOCK) * BLOCK;
                    bytes.splice(to..to, copy);
                }
                3 => bytes.truncate(at.max(BLOCK)),
                _ => {
                    // A field of a header.
                    let field = [0, 100, 108, 124, 136, 156, 157, 257, 345, 386][random.below(10)];
                    let at = at / BLOCK * BLOCK + field;
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = interesting[random.below(interesting.len())];
                    }
                }
            }
        }
        // Else nearly all would end there.
        fix_sums(&mut bytes);
        good += usize::from(read(&bytes).is_ok());
    }
    assert!((500..9_900).contains(&good), "{good} of 10,000 are archives");
}

#[test]
fn a_hundred_thousand_entries_take_no_long() {
    let mut bytes = Vec::new();
    for number in 0..25_000 {
        bytes.extend(file(&format!("d{}/f{number}", number % 100), "x"));
        bytes.extend(link(&format!("h/{number}"), b'1', &format!("d{}/f{number}", number % 100)));
        bytes.extend(link(&format!("s/{number}"), b'2', "../d0"));
        bytes.extend(file(&format!("s/{number}/same"), "y"));
    }
    let tree = archive::read(&bytes).expect("an archive");
    assert_eq!(tree.iter().count(), 75_000 + 102 + 1);
}
