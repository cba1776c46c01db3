//! A file system to be: what lies at which path, and which names are one file.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::error::{Error, Result};

/// A name in a directory (`NAME_MAX` of Linux).
const LONGEST_NAME: usize = 255;

/// A path or the target of a link (`PATH_MAX` of Linux without the NUL).
const LONGEST_PATH: usize = 4095;

/// Links that are followed on the way to a file, as Linux does.
const MOST_LINKS: usize = 40;

/// Linux's numbers of devices have 12 and 20 bits.
const MOST_MAJOR: u32 = (1 << 12) - 1;
const MOST_MINOR: u32 = (1 << 20) - 1;

/// The number that chown(2) takes for "as it is".
const NOBODY: u32 = u32::MAX;

/// A file, whatever its names are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Permissions, as in chmod(2).
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// When it was last written, in seconds since 1970.
    pub(crate) time: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    /// Copies of a tree share the contents.
    File(Arc<Vec<u8>>),
    Link(Vec<u8>),
    Fifo,
    CharacterDevice {
        major: u32,
        minor: u32,
    },
    BlockDevice {
        major: u32,
        minor: u32,
    },
}

impl Kind {
    pub(crate) fn file(contents: impl Into<Vec<u8>>) -> Self {
        Self::File(Arc::new(contents.into()))
    }
}

/// A directory that only the paths below it tell of.
static IMPLIED: Node = Node::of_root(Kind::Directory, 0o755);

impl Node {
    pub(crate) const fn of_root(kind: Kind, mode: u32) -> Self {
        Self { kind, mode, uid: 0, gid: 0, time: 0 }
    }

    /// A symbolic link.
    pub(crate) fn link_to(target: impl Into<Vec<u8>>) -> Self {
        Self::of_root(Kind::Link(target.into()), 0o777)
    }

    /// The WebAssembly module that lies here, if one does.
    pub(crate) fn module(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::File(contents) if contents.starts_with(b"\0asm") => Some(contents),
            _ => None,
        }
    }

    /// An error if Linux cannot have such a file.
    fn check(&self) -> Result<()> {
        match &self.kind {
            Kind::Link(target) if target.is_empty() => return Err(Error::new("a link to nothing")),
            Kind::Link(target) if target.len() > LONGEST_PATH => {
                return Err(Error::new(format!("a link to {} bytes of name", target.len()))
                    .hint(format!("Linux has links to {LONGEST_PATH} bytes at most")));
            }
            Kind::Link(target) if target.contains(&0) => {
                return Err(Error::new("a link to a name with a NUL in it"));
            }
            Kind::CharacterDevice { major, minor } | Kind::BlockDevice { major, minor }
                if *major > MOST_MAJOR || *minor > MOST_MINOR =>
            {
                return Err(Error::new(format!("a device {major}:{minor}"))
                    .hint(format!("Linux has devices up to {MOST_MAJOR}:{MOST_MINOR}")));
            }
            _ => {}
        }
        match self.uid == NOBODY || self.gid == NOBODY {
            true => Err(Error::new(format!("the owner {}:{}", self.uid, self.gid))
                .hint(format!("Linux has owners up to {}", NOBODY - 1))),
            false => Ok(()),
        }
    }
}

/// One name of a file, and the file.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// From the root, without a slash before it; nothing for the root itself.
    pub(crate) path: Vec<u8>,
    pub(crate) node: &'a Node,
    /// Equal for the names of one file.
    pub(crate) file: File,
    /// How many names the file has.
    pub(crate) names: u32,
    /// A directory that only the paths below it tell of.
    pub(crate) is_implied: bool,
}

/// A file of one tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct File(usize);

const ROOT: File = File(0);

#[derive(Debug, Clone, Default)]
struct Inode {
    /// Nothing of a directory that only the paths below it tell of, and of a file that is gone.
    node: Option<Node>,
    entries: BTreeMap<Vec<u8>, File>,
    names: u32,
}

/// Paths are bytes, relative to the root whether they have a slash before them or not. Links among their
/// directories are followed, and never lead out of the root.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    /// The root is the first.
    inodes: Vec<Inode>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { inodes: vec![Inode { names: 1, ..Inode::default() }] }
    }
}

/// Where a path leads.
struct Place<'a> {
    /// The directory, if it is there.
    directory: File,
    /// What is not there of the path, directories first.
    rest: Vec<Vec<u8>>,
    /// The file, if it is there.
    file: Option<File>,
    /// Its name in the directory; nothing for the root and for what `..` led to.
    name: Option<std::borrow::Cow<'a, [u8]>>,
    /// Bytes of the directory's own path.
    length: usize,
}

impl Tree {
    /// Adds a node and the directories above it. What was there is replaced, with all below it; a
    /// directory that is there keeps what is in it.
    pub(crate) fn add(&mut self, path: impl AsRef<[u8]>, node: Node) -> Result<()> {
        let path = path.as_ref();
        self.put(path, node).map_err(|error| error.at(shown(path)))
    }

    fn put(&mut self, path: &[u8], node: Node) -> Result<()> {
        node.check()?;
        let is_directory = node.kind == Kind::Directory;
        let place = self.walk(path, false)?;
        match place.file {
            Some(file) if is_directory && self.is_directory(file) => {
                self.inodes[file.0].node = Some(node);
            }
            Some(ROOT) => return Err(Error::new("the root is a directory")),
            _ => {
                let file = self.new_file(Some(node));
                self.attach(place, file)?;
            }
        }
        Ok(())
    }

    /// Gives the file at `target` one more name (link(2)). What was at `path` is replaced.
    pub(crate) fn link(&mut self, path: &[u8], target: &[u8]) -> Result<()> {
        self.add_name(path, target).map_err(|error| error.at(shown(path)))
    }

    fn add_name(&mut self, path: &[u8], target: &[u8]) -> Result<()> {
        let found =
            self.walk(target, false).ok().and_then(|place| place.file).ok_or_else(|| {
                Error::new(format!("a hard link to {}, which is not there", shown(target)))
            })?;
        if self.is_directory(found) {
            return Err(Error::new(format!("a hard link to the directory {}", shown(target))));
        }
        let place = self.walk(path, false)?;
        match place.file {
            Some(file) if file == found => Ok(()),
            Some(ROOT) => Err(Error::new("the root is a directory")),
            _ => self.attach(place, found),
        }
    }

    /// Has a directory at `path`, with those above it, whether something tells of it or not. What is no
    /// directory is replaced.
    fn imply(&mut self, path: &[u8]) -> Result<()> {
        let place = self.walk(path, false)?;
        match place.file {
            Some(file) if self.is_directory(file) => Ok(()),
            _ => {
                let file = self.new_file(None);
                self.attach(place, file)
            }
        }
    }

    fn new_file(&mut self, node: Option<Node>) -> File {
        self.inodes.push(Inode { node, ..Inode::default() });
        File(self.inodes.len() - 1)
    }

    /// Gives a file the name that `place` is about.
    fn attach(&mut self, place: Place<'_>, file: File) -> Result<()> {
        let Place { mut directory, rest, name, file: there, mut length } = place;
        let name = name.ok_or_else(|| Error::new("a name that ends in .."))?.into_owned();
        for part in rest.iter().chain([&name]) {
            length += part.len() + 1;
            if part.len() > LONGEST_NAME {
                return Err(Error::new(format!("a name of {} bytes", part.len()))
                    .hint(format!("Linux has names of {LONGEST_NAME} bytes at most")));
            }
            if part.contains(&0) {
                return Err(Error::new("a name with a NUL in it"));
            }
        }
        // Each has a slash before it, the first as well.
        if length - 1 > LONGEST_PATH {
            return Err(Error::new(format!("a path of {} bytes", length - 1))
                .hint(format!("Linux has paths of {LONGEST_PATH} bytes at most")));
        }
        // It may lie below what it replaces.
        self.inodes[file.0].names += 1;
        if let Some(there) = there {
            self.inodes[directory.0].entries.remove(&name);
            self.forget(there);
        }
        for part in rest {
            let new = self.new_file(None);
            self.inodes[new.0].names = 1;
            self.inodes[directory.0].entries.insert(part, new);
            directory = new;
        }
        self.inodes[directory.0].entries.insert(name, file);
        Ok(())
    }

    /// Takes one name from a file, which may have been its last.
    fn forget(&mut self, file: File) {
        let mut gone = vec![file];
        while let Some(file) = gone.pop() {
            let inode = &mut self.inodes[file.0];
            inode.names -= 1;
            if inode.names == 0 {
                inode.node = None;
                gone.extend(std::mem::take(&mut inode.entries).into_values());
            }
        }
    }

    /// Removes what lies at `path` and below it, if something does. The root stays, and is empty.
    pub(crate) fn remove(&mut self, path: &[u8]) {
        match self.walk(path, false) {
            Ok(Place { file: Some(ROOT), .. }) => self.clear(path),
            Ok(Place { directory, file: Some(file), name: Some(name), .. }) => {
                self.inodes[directory.0].entries.remove(name.as_ref());
                self.forget(file);
            }
            _ => {}
        }
    }

    /// Removes what lies in the directory at `path`, if one does.
    pub(crate) fn clear(&mut self, path: &[u8]) {
        if let Ok(Place { file: Some(file), .. }) = self.walk(path, true) {
            let entries = std::mem::take(&mut self.inodes[file.0].entries);
            entries.into_values().for_each(|file| self.forget(file));
        }
    }

    /// Adds all of another tree, which takes the place of what is there under the same names. A link to
    /// a directory stays where the other tree has a directory, so that a package with `bin/x` works where
    /// `bin` is a link. Where the other tree makes a directory a link, what was in it goes where the
    /// link leads.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        let mut known = BTreeMap::new();
        let mut moved = Vec::new();
        for entry in other.iter() {
            let Entry { path, node, file, is_implied, names } = entry;
            let at = |error: Error| error.at(shown(&path));
            if node.kind == Kind::Directory {
                let there = self.walk(&path, true).ok().and_then(|place| place.file);
                let is_link = self.get(&path).is_some_and(|it| matches!(it.kind, Kind::Link(_)));
                match there.is_some_and(|there| self.is_directory(there)) {
                    true if is_implied || is_link => {}
                    _ if is_implied => self.imply(&path).map_err(at)?,
                    _ => self.add(&path, node.clone())?,
                }
                continue;
            }
            if matches!(node.kind, Kind::Link(_)) {
                moved.extend(self.take_entries(&path).into_iter().map(|it| (path.clone(), it)));
            }
            match known.get(&file).copied() {
                Some(first) if names > 1 => {
                    let place = self.walk(&path, false).map_err(at)?;
                    if place.file != Some(first) {
                        self.attach(place, first).map_err(at)?;
                    }
                }
                _ => {
                    self.add(&path, node.clone())?;
                    if let Ok(Place { file: Some(new), .. }) = self.walk(&path, false) {
                        known.insert(file, new);
                    }
                }
            }
        }
        for (link, (below, file)) in moved {
            let path = [link.as_slice(), b"/", &below].concat();
            let place = self.walk(&path, false).map_err(|error| error.at(shown(&path)))?;
            if place.file.is_none() {
                self.attach(place, file).map_err(|error| error.at(shown(&path)))?;
            }
            // The name that it had while it had none.
            self.forget(file);
        }
        Ok(())
    }

    /// Empties the directory at `path`, if it is one and no link. What was in it keeps a name that is
    /// nowhere: the caller forgets it.
    fn take_entries(&mut self, path: &[u8]) -> Vec<(Vec<u8>, File)> {
        let Ok(Place { file: Some(top), .. }) = self.walk(path, false) else { return Vec::new() };
        let mut taken = Vec::new();
        let mut directories = vec![(Vec::new(), top)];
        while let Some((above, directory)) = directories.pop() {
            for (name, file) in std::mem::take(&mut self.inodes[directory.0].entries) {
                let path =
                    if above.is_empty() { name } else { [&above, &b"/"[..], &name].concat() };
                if self.is_directory(file) && !self.inodes[file.0].entries.is_empty() {
                    directories.push((path, file));
                } else {
                    taken.push((path, file));
                }
            }
        }
        taken
    }

    fn is_directory(&self, file: File) -> bool {
        self.node(file).kind == Kind::Directory
    }

    pub(crate) fn node(&self, file: File) -> &Node {
        self.inodes[file.0].node.as_ref().unwrap_or(&IMPLIED)
    }

    /// Replaces the contents of a file under all of its names.
    pub(crate) fn rewrite(&mut self, file: File, contents: Vec<u8>) {
        if let Some(node) = &mut self.inodes[file.0].node {
            node.kind = Kind::file(contents);
        }
    }

    /// Goes along a path. An error if something on it is neither a directory nor a link to one.
    fn walk<'a>(&self, path: &'a [u8], follow_last: bool) -> Result<Place<'a>> {
        use std::borrow::Cow;
        fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
            path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".")
        }
        // Directories from the root to here, each with the bytes of its path; parts to go, the next
        // one last.
        let mut above = vec![(ROOT, 0)];
        let mut to_go: Vec<Cow<'a, [u8]>> = parts(path).rev().map(Cow::Borrowed).collect();
        let mut links = 0;
        while let Some(part) = to_go.pop() {
            let (directory, length) = above.last().copied().unwrap_or((ROOT, 0));
            if part.as_ref() == b".." {
                if above.len() > 1 {
                    above.pop();
                }
                continue;
            }
            let Some(file) = self.inodes[directory.0].entries.get(part.as_ref()).copied() else {
                let mut rest: Vec<Vec<u8>> = std::iter::once(part)
                    .chain(to_go.into_iter().rev())
                    .map(Cow::into_owned)
                    .collect();
                if rest.iter().any(|part| part == b"..") {
                    return Err(Error::new(".. behind a directory that is not there"));
                }
                let name = rest.pop().map(Cow::Owned);
                return Ok(Place { directory, rest, file: None, name, length });
            };
            let is_last = to_go.is_empty();
            match &self.node(file).kind {
                Kind::Link(target) if !is_last || follow_last => {
                    links += 1;
                    if links > MOST_LINKS {
                        return Err(Error::new("too many links"));
                    }
                    if target.starts_with(b"/") {
                        above.truncate(1);
                    }
                    to_go.extend(parts(target).rev().map(|part| Cow::Owned(part.to_vec())));
                }
                _ if is_last => {
                    let rest = Vec::new();
                    return Ok(Place {
                        directory,
                        rest,
                        file: Some(file),
                        name: Some(part),
                        length,
                    });
                }
                Kind::Directory => above.push((file, length + 1 + part.len())),
                _ => {
                    let part = shown(&part);
                    return Err(Error::new(format!("{part} is no directory")));
                }
            }
        }
        // The root, or what `..` led to.
        let (file, length) = above.last().copied().unwrap_or((ROOT, 0));
        let (directory, rest) = (file, Vec::new());
        Ok(Place { directory, rest, file: Some(file), name: None, length })
    }

    pub(crate) fn contains(&self, path: impl AsRef<[u8]>) -> bool {
        self.walk(path.as_ref(), false).is_ok_and(|place| place.file.is_some())
    }

    /// What lies at a path, a link itself.
    pub(crate) fn get(&self, path: impl AsRef<[u8]>) -> Option<&Node> {
        Some(self.node(self.walk(path.as_ref(), false).ok()?.file?))
    }

    /// The contents of the file that a path leads to.
    pub(crate) fn contents(&self, path: impl AsRef<[u8]>) -> Option<&Arc<Vec<u8>>> {
        match &self.node(self.walk(path.as_ref(), true).ok()?.file?).kind {
            Kind::File(contents) => Some(contents),
            _ => None,
        }
    }

    /// Every name, sorted, a directory before what lies in it. The root comes first if something tells
    /// of it.
    pub(crate) fn iter(&self) -> Iter<'_> {
        let root = self.inodes[0].node.is_some();
        let open = vec![(self.inodes[0].entries.iter(), 0)];
        Iter { tree: self, root, open, path: Vec::new() }
    }
}

#[derive(Debug)]
pub(crate) struct Iter<'a> {
    tree: &'a Tree,
    root: bool,
    /// Directories with the length of their paths.
    open: Vec<(btree_map::Iter<'a, Vec<u8>, File>, usize)>,
    path: Vec<u8>,
}

impl<'a> Iter<'a> {
    fn entry(&self, file: File) -> Entry<'a> {
        let inode = &self.tree.inodes[file.0];
        Entry {
            path: self.path.clone(),
            node: self.tree.node(file),
            file,
            names: inode.names,
            is_implied: inode.node.is_none(),
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.root) {
            return Some(self.entry(ROOT));
        }
        loop {
            let (entries, length) = self.open.last_mut()?;
            self.path.truncate(*length);
            let Some((name, file)) = entries.next() else {
                self.open.pop();
                continue;
            };
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            self.open.push((self.tree.inodes[file.0].entries.iter(), self.path.len()));
            return Some(self.entry(*file));
        }
    }
}

/// A name in a line for people: what is no text, or would not stay in the line, as `\x0a`.
pub(crate) fn shown(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character.is_control() {
                // Writing to a string does not fail.
                true => drop(write!(text, "\\x{:02x}", u32::from(character))),
                false => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Node {
        Node::of_root(Kind::file(text), 0o644)
    }

    fn tree(files: &[(&str, Node)]) -> Tree {
        let mut tree = Tree::default();
        for (path, node) in files {
            tree.add(path, node.clone()).expect("added");
        }
        tree
    }

    fn names(tree: &Tree) -> String {
        let shown = |entry: Entry<'_>| shown(&entry.path);
        tree.iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn directories_that_are_links_are_followed() {
        let mut all = tree(&[("usr/bin/a", file("a")), ("bin", Node::link_to("usr/bin"))]);
        let package = tree(&[("bin/b", file("b")), ("usr/bin/a", file("other"))]);
        all.merge(&package).expect("merged");
        assert_eq!(all.get("bin"), Some(&Node::link_to("usr/bin")));
        assert_eq!(all.get("usr/bin/b"), Some(&file("b")));
        assert_eq!(all.get("bin/a"), Some(&file("other")));
        assert_eq!(names(&all), "bin usr usr/bin usr/bin/a usr/bin/b");
    }

    #[test]
    fn what_was_in_a_directory_goes_where_the_link_in_its_place_leads() {
        let mut all =
            tree(&[("bin/sh", file("sh")), ("bin/x/ls", file("ls")), ("bin/a", file("old"))]);
        all.link(b"bin/ash", b"bin/sh").expect("linked");
        let merged_usr = tree(&[("bin", Node::link_to("usr/bin")), ("usr/bin/a", file("a"))]);
        all.merge(&merged_usr).expect("merged");
        assert_eq!(
            names(&all),
            "bin usr usr/bin usr/bin/a usr/bin/ash usr/bin/sh usr/bin/x usr/bin/x/ls"
        );
        assert_eq!(all.get("bin/a"), Some(&file("a")));
        let names = all.iter().filter(|entry| entry.names == 2).count();
        assert_eq!(names, 2, "one file has two names");
    }

    #[test]
    fn links_never_lead_out_of_the_root() {
        let mut all = tree(&[("up", Node::link_to("../../..")), ("abs", Node::link_to("/etc"))]);
        all.add("up/a", file("a")).expect("added");
        all.add("abs/b", file("b")).expect("added");
        assert_eq!(names(&all), "a abs etc etc/b up");
        all.add("loop", Node::link_to("loop")).expect("added");
        let error = all.add("loop/x", file("")).expect_err("a loop");
        assert_eq!(error.message(), "loop/x: too many links");
        let error = all.add("a/x", file("")).expect_err("below a file");
        assert_eq!(error.message(), "a/x: a is no directory");
    }

    #[test]
    fn a_later_entry_takes_the_place_of_an_earlier_one() {
        let mut all = tree(&[("a/b/c", file("c")), ("d", file("d"))]);
        all.add("a", file("a")).expect("added");
        all.add("d", Node::of_root(Kind::Directory, 0o700)).expect("added");
        all.add("d/e", file("e")).expect("added");
        all.add("d", Node::of_root(Kind::Directory, 0o711)).expect("added");
        assert_eq!(names(&all), "a d d/e");
        assert_eq!(all.get("d").map(|node| node.mode), Some(0o711));
    }

    #[test]
    fn hard_links_are_to_what_was_there() {
        let mut all = tree(&[("one", file("1")), ("dir/x", file("x"))]);
        all.link(b"two", b"one").expect("linked");
        all.link(b"three", b"two").expect("linked");
        all.add("one", file("new")).expect("added");
        all.link(b"dir", b"dir/x").expect("in place of what it lies in");
        let found: Vec<_> = all.iter().map(|entry| (shown(&entry.path), entry.names)).collect();
        let wanted = [("dir", 1), ("one", 1), ("three", 2), ("two", 2)];
        assert_eq!(found, wanted.map(|(name, names)| (name.to_owned(), names)));
        assert_eq!(all.get("two"), Some(&file("1")));
        let error = all.link(b"four", b"none").expect_err("nothing there");
        assert_eq!(error.message(), "four: a hard link to none, which is not there");
        let mut copy = Tree::default();
        copy.merge(&all).expect("merged");
        assert_eq!(copy.iter().filter(|entry| entry.names == 2).count(), 2);
    }

    #[test]
    fn what_linux_cannot_have_is_refused() {
        let device = |major, minor| Node::of_root(Kind::CharacterDevice { major, minor }, 0o600);
        let mut all = Tree::default();
        for (path, node, why) in [
            ("n".repeat(256), file(""), "a name of 256 bytes"),
            ("n/".repeat(2049), file(""), "a path of 4097 bytes"),
            ("a\0b".to_owned(), file(""), "a\\x00b: a name with a NUL"),
            ("/".to_owned(), file(""), "the root is a directory"),
            ("a".to_owned(), Node::link_to(""), "a link to nothing"),
            ("a".to_owned(), Node::link_to("x".repeat(4096)), "a link to 4096 bytes"),
            ("a".to_owned(), device(4096, 0), "a device 4096:0"),
            ("a".to_owned(), device(1, 1 << 20), "a device 1:1048576"),
            ("a".to_owned(), Node { uid: u32::MAX, ..file("") }, "the owner 4294967295:0"),
        ] {
            let error = all.add(&path, node).expect_err(why);
            assert!(error.message().contains(why), "{error}");
        }
        all.add("n/".repeat(2048), file("")).expect("a path of 4095 bytes");
    }
}
