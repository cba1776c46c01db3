//! SHA-256 digests of files and trees, and the cache keys made of them.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use crate::error::{At as _, Error, Result};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub(crate) [u8; 32]);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads the usual 64 hexadecimal digits.
    pub(crate) fn parse(hex: &str) -> Option<Self> {
        let mut digest = [0; 32];
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&hex[at..at + 2], 16).ok()?;
        }
        Some(Self(digest))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Collects everything that a result depends on. Each part has a name, so that no two different
/// lists of parts give the same key.
#[derive(Debug, Clone)]
pub(crate) struct Key(Sha256);

impl Key {
    pub(crate) fn new(kind: &str) -> Self {
        Self(Sha256::new()).with("kind", kind.as_bytes())
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        for part in [name.as_bytes(), value.as_ref()] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }

    #[must_use]
    pub(crate) fn with_digest(self, name: &str, digest: Digest) -> Self {
        self.with(name, digest.0)
    }

    pub(crate) fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// What tells an unchanged file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    mtime_seconds: i64,
    mtime_nanoseconds: i64,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            size: metadata.size(),
            mtime_seconds: metadata.mtime(),
            mtime_nanoseconds: metadata.mtime_nsec(),
            inode: metadata.ino(),
        }
    }
}

/// Digests of files, remembered from run to run by the files' stamps.
#[derive(Debug)]
pub(crate) struct Index {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<PathBuf, (Stamp, Digest)>,
    changed: bool,
}

/// A file changed less than this many seconds ago may change again without a new stamp.
const SETTLED: i64 = 2;

impl Index {
    /// An unreadable or damaged index is an empty one: it only saves time.
    pub(crate) fn load(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let known = text.lines().filter_map(parse_line).collect();
        Self { path, state: Mutex::new(State { known, changed: false }) }
    }

    pub(crate) fn file(&self, path: &Path) -> Result<Digest> {
        self.regular(path, Stamp::of(&fs::metadata(path).at(path.display())?))
    }

    /// The same of a file whose stamp is known.
    fn regular(&self, path: &Path, stamp: Stamp) -> Result<Digest> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, digest)) = state.known.get(path)
            && *known == stamp
        {
            return Ok(*digest);
        }
        drop(state);
        let digest = hash_file(path).at(path.display())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
        if stamp.mtime_seconds + SETTLED <= now.cast_signed() {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.known.insert(path.to_owned(), (stamp, digest));
            state.changed = true;
        }
        Ok(digest)
    }

    /// Checks a file against the digest it must have.
    pub(crate) fn check(&self, path: &Path, wanted: Digest) -> Result<()> {
        let found = self.file(path)?;
        if found == wanted {
            return Ok(());
        }
        Err(Error::new(format!("SHA-256 is {found}, not {wanted}")).at(path.display()))
    }

    /// A file, or everything below a directory.
    pub(crate) fn path(&self, path: &Path) -> Result<Digest> {
        if path.is_dir() { self.tree(path) } else { self.file(path) }
    }

    /// Names, executable bits and contents of everything below `root`.
    pub(crate) fn tree(&self, root: &Path) -> Result<Digest> {
        let mut key = Key::new("tree");
        for entry in walk(root)? {
            let path = root.join(&entry);
            let name = entry.as_os_str().as_encoded_bytes();
            let metadata = fs::symlink_metadata(&path).at(path.display())?;
            key = if metadata.is_symlink() {
                let target = fs::read_link(&path).at(path.display())?;
                key.with("link", name).with("target", target.as_os_str().as_encoded_bytes())
            } else if metadata.is_dir() {
                key.with("directory", name)
            } else {
                let executable = metadata.permissions().mode() & 0o100 != 0;
                key.with(if executable { "program" } else { "file" }, name)
                    .with_digest("contents", self.regular(&path, Stamp::of(&metadata))?)
            };
        }
        Ok(key.finish())
    }

    /// Keeps what was learnt for the next run.
    pub(crate) fn save(&self) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.changed {
            return Ok(());
        }
        state.known.retain(|path, _| path.exists());
        let mut text = String::new();
        for (path, (stamp, digest)) in &state.known {
            if let Some(path) = path.to_str().filter(|path| !path.contains('\n')) {
                let Stamp { size, mtime_seconds, mtime_nanoseconds, inode } = stamp;
                text += &format!(
                    "{digest} {size} {mtime_seconds} {mtime_nanoseconds} {inode} {path}\n"
                );
            }
        }
        state.changed = false;
        replace_file(&self.path, text.as_bytes()).at(self.path.display())
    }
}

fn parse_line(line: &str) -> Option<(PathBuf, (Stamp, Digest))> {
    let mut fields = line.splitn(6, ' ');
    let digest = Digest::parse(fields.next()?)?;
    let stamp = Stamp {
        size: fields.next()?.parse().ok()?,
        mtime_seconds: fields.next()?.parse().ok()?,
        mtime_nanoseconds: fields.next()?.parse().ok()?,
        inode: fields.next()?.parse().ok()?,
    };
    Some((PathBuf::from(fields.next()?), (stamp, digest)))
}

fn hash_file(path: &Path) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut HashWriter(&mut hash))?;
    Ok(Digest(hash.finalize().into()))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything below `root`, as sorted paths relative to it, directories before their contents.
pub(crate) fn walk(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(directory) = pending.pop() {
        let path = root.join(&directory);
        for entry in fs::read_dir(&path).at(path.display())? {
            let entry = entry.at(path.display())?;
            let relative = directory.join(entry.file_name());
            if entry.file_type().at(path.display())?.is_dir() {
                pending.push(relative.clone());
            }
            found.push(relative);
        }
    }
    found.sort();
    Ok(found)
}

/// Writes a file so that a reader sees the old contents or the new, never a part.
pub(crate) fn replace_file(path: &Path, contents: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    let written = fs::File::create(&temporary).and_then(|mut file| file.write_all(contents));
    written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        // It may not be there at all.
        let _ = fs::remove_file(&temporary);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_text_round_trip() {
        let digest = Digest::of(b"linnet");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("00"), None);
        assert_eq!(Digest::parse(&"zz".repeat(32)), None);
    }

    #[test]
    fn parts_of_a_key_do_not_run_together() {
        let first = Key::new("k").with("a", "bc").finish();
        let second = Key::new("k").with("ab", "c").finish();
        assert_ne!(first, second);
    }
}
