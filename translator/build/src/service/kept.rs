//! A directory that keeps translated programs, by what they were made of.
//!
//! Only its owner may write there. A file is written under another name and then renamed; a sum at its end tells
//! whether all of it is there.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use linnet_codegen::Target;
use rustix::fs::OFlags;
use rustix::process::geteuid;

use super::linked::Linked;
use crate::digest::{Digest, Key};
use crate::error::{At as _, Error, Result};
use crate::translate::{program_options, with_translator};

/// When the files have more bytes, the oldest are removed.
const MOST_BYTES: u64 = 1 << 30;

/// Length of the sum.
const SUM: usize = 32;

pub(crate) struct Kept {
    directory: PathBuf,
}

impl Kept {
    /// Made if it is not there. An error if anybody else may write to it.
    pub(crate) fn open(directory: &Path) -> Result<Kept> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).at(directory.display())?;
        let metadata = fs::metadata(directory).at(directory.display())?;
        if metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
            return Err(Error::new("others may write or read it")
                .at(directory.display())
                .hint(format!("chmod 700 {}, or give another directory", directory.display())));
        }
        let kept = Kept { directory: directory.to_owned() };
        // What cannot be removed now stays for another time.
        let _ = kept.make_room(MOST_BYTES);
        Ok(kept)
    }

    fn place(&self, key: Digest) -> PathBuf {
        self.directory.join(key.to_string())
    }

    /// What was kept under that key. What is damaged is as good as nothing.
    pub(crate) fn find(&self, key: Digest) -> Option<Linked> {
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let mut file =
            OpenOptions::new().read(true).custom_flags(flags).open(self.place(key)).ok()?;
        if file.metadata().ok()?.uid() != geteuid().as_raw() {
            return None;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        let (contents, sum) = bytes.split_at_checked(bytes.len().checked_sub(SUM)?)?;
        if Digest::of(contents).0 != sum {
            return None;
        }
        // A use is noted, so that it is not among the oldest. Failing to costs a translation.
        let _ = file.set_modified(SystemTime::now());
        Linked::from_bytes(contents).ok()
    }

    /// Keeps it, if there is room.
    pub(crate) fn put(&self, key: Digest, linked: &[u8]) -> Result<()> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.join(format!("new-{}-{number}", std::process::id()));
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.write_all(linked)?;
            file.write_all(&Digest::of(linked).0)?;
            fs::rename(&path, self.place(key))
        };
        write().inspect_err(|_| drop(fs::remove_file(&path))).at(path.display())
    }

    /// Removes the oldest files until no more than `most` bytes are left, and what was never finished.
    fn make_room(&self, most: u64) -> std::io::Result<()> {
        const UNFINISHED: u64 = 3600;
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            let is_new = entry.file_name().to_string_lossy().starts_with("new-");
            let age = metadata.modified()?.elapsed().unwrap_or_default();
            if is_new && age.as_secs() > UNFINISHED {
                fs::remove_file(entry.path())?;
            } else {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        files.sort();
        let mut size: u64 = files.iter().map(|(_, len, _)| len).sum();
        for (_, len, path) in files {
            if size <= most {
                break;
            }
            fs::remove_file(path)?;
            size -= len;
        }
        Ok(())
    }
}

/// Everything that decides what becomes of a module.
pub(crate) fn key(module: &[u8], target: Target) -> Digest {
    let options = program_options(target, module);
    with_translator(Key::new("loaded"))
        .with("builder", env!("LINNET_BUILDER"))
        .with_digest("module", Digest::of(module))
        .with("target", target.name())
        .with("cpu", options.cpu.to_string())
        .finish()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::PermissionsExt as _;

    use linnet_abi::translator::ALIGN;

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("linnet-kept-{name}-{}", std::process::id()))
    }

    fn sample() -> Linked {
        let bytes = vec![7; 2 * ALIGN as usize];
        Linked { descriptor: ALIGN, code_size: 16, bytes, ..Linked::default() }
    }

    #[test]
    fn what_is_damaged_is_not_found() {
        let path = scratch("damage");
        let kept = Kept::open(&path).expect("a directory");
        let key = key(b"module", Target::X86_64);
        assert!(kept.find(key).is_none());
        kept.put(key, &sample().to_bytes()).expect("room");
        assert_eq!(kept.find(key), Some(sample()));
        let place = kept.place(key);
        let whole = fs::read(&place).expect("a file");
        for length in [0, 20, whole.len() - 1] {
            fs::write(&place, &whole[..length]).expect("room");
            assert!(kept.find(key).is_none(), "{length}");
        }
        let mut changed = whole.clone();
        changed[100] ^= 1;
        fs::write(&place, changed).expect("room");
        assert!(kept.find(key).is_none());
        kept.put(key, &sample().to_bytes()).expect("room");
        assert_eq!(kept.find(key), Some(sample()));
        fs::remove_dir_all(path).expect("removed");
    }

    #[test]
    fn a_directory_of_others_is_refused() {
        let path = scratch("others");
        Kept::open(&path).expect("a directory");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its owner");
        assert!(Kept::open(&path).is_err());
        fs::remove_dir_all(path).expect("removed");
    }

    #[test]
    fn the_oldest_go_first() {
        let path = scratch("oldest");
        let kept = Kept::open(&path).expect("a directory");
        let keys = [b"a", b"b", b"c"].map(|module| key(module, Target::X86_64));
        for (key, age) in keys.iter().zip([30, 20, 10]) {
            kept.put(*key, &sample().to_bytes()).expect("room");
            let file = File::options().write(true).open(kept.place(*key)).expect("a file");
            let time = SystemTime::now() - std::time::Duration::from_secs(age);
            file.set_modified(time).expect("a time");
        }
        let one = fs::metadata(kept.place(keys[0])).expect("a file").len();
        kept.make_room(2 * one).expect("room");
        assert!(kept.find(keys[0]).is_none());
        assert!(kept.find(keys[1]).is_some() && kept.find(keys[2]).is_some());
        fs::remove_dir_all(path).expect("removed");
    }
}
