//! The cache: finished results by key, outside the source tree.
//!
//! A result is built in a directory of its own and moved to its place by one rename, so that a
//! build that was stopped, at any point, leaves nothing that could be taken for a result. Building
//! a result needs its lock; using a finished one does not.

use std::collections::HashSet;
use std::env;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, Once, PoisonError};
use std::time::{Duration, SystemTime};

use crate::digest::Digest;
use crate::error::{At as _, Error, Result};
use crate::progress;
use crate::script;
use crate::workshop::Workshop;

/// Results not used for this long are removed.
const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);

/// No build takes longer.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A use of a result is noted at most this often.
const NOTE: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub(crate) struct Cache {
    root: PathBuf,
    /// Names of the locks that threads of this run hold.
    held: Mutex<HashSet<String>>,
    released: Condvar,
    tidied: Once,
}

impl Cache {
    /// `$LINNET_CACHE`, or `linnet` in the user's cache directory.
    pub(crate) fn open() -> Result<Self> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = set("LINNET_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("linnet")))
            .or_else(|| set("HOME").map(|path| path.join(".cache/linnet")))
            .ok_or_else(|| {
                Error::new("no place for the cache: HOME is not set")
                    .hint("set LINNET_CACHE to a directory with 4 GB of free space")
            })?;
        Self::at(&root)
    }

    fn at(root: &Path) -> Result<Self> {
        let root = std::path::absolute(root).at(root.display())?;
        for part in ["results", "work", "logs", "sources", "locks"] {
            let path = root.join(part);
            fs::create_dir_all(&path).map_err(|cause| {
                Error::new(cause)
                    .at(path.display())
                    .hint("set LINNET_CACHE to a directory that can be written")
            })?;
        }
        Ok(Self { root, held: Mutex::default(), released: Condvar::new(), tidied: Once::new() })
    }

    /// Where builds take place that other projects' scripts do.
    pub(crate) fn workshop(&self) -> Result<Workshop<'_>> {
        Workshop::of(&self.root)
    }

    /// A file or directory of the cache that is not a result.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    fn place(&self, kind: &str, key: Digest) -> PathBuf {
        self.root.join("results").join(kind).join(&key.to_string()[..32])
    }

    /// A finished result, if there is one.
    pub(crate) fn find(&self, kind: &str, key: Digest) -> Option<PathBuf> {
        let place = self.place(kind, key);
        let used = fs::metadata(&place).ok()?.modified().ok()?;
        let now = SystemTime::now();
        if now.duration_since(used).is_ok_and(|age| age > NOTE) {
            // Failing to note the use costs a rebuild in a month, no more.
            let _ = File::open(&place).and_then(|directory| directory.set_modified(now));
        }
        Some(place)
    }

    /// The result for `key`, made by `build` if it is not there. `build` gets two empty
    /// directories: one for the result, one to work in.
    pub(crate) fn get(
        &self,
        kind: &str,
        key: Digest,
        build: impl FnOnce(&Path, &Path) -> Result<()>,
    ) -> Result<PathBuf> {
        if let Some(place) = self.find(kind, key) {
            return Ok(place);
        }
        // What cannot be removed now stays for another time.
        self.tidied.call_once(|| drop(self.remove_old()));
        let name = format!("{kind}-{}", &key.to_string()[..16]);
        let _lock = self.lock(&name)?;
        // Another run or another thread may have made it in the meantime.
        if let Some(place) = self.find(kind, key) {
            return Ok(place);
        }
        let place = self.place(kind, key);
        let work = self.root.join("work").join(name);
        let (result, scratch) = (work.join("result"), work.join("work"));
        remove(&work)?;
        for directory in [&result, &scratch, &self.root.join("results").join(kind)] {
            fs::create_dir_all(directory).at(directory.display())?;
        }
        build(&result, &scratch)?;
        fs::rename(&result, &place).at(place.display())?;
        remove(&work)?;
        Ok(place)
    }

    /// The name of the lock that a build holds whose directory to work in is `work`.
    pub(crate) fn lock_of<'a>(&self, work: &'a Path) -> &'a str {
        let place = work.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        place.unwrap_or_default()
    }

    /// Waits until nobody else holds the lock of that name: no other thread, no other run.
    pub(crate) fn lock(&self, name: &str) -> Result<Lock<'_>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = self
            .released
            .wait_while(held, |held| held.contains(name))
            .unwrap_or_else(PoisonError::into_inner);
        held.insert(name.to_owned());
        drop(held);
        let path = self.root.join("locks").join(name);
        let mut lock = Lock { cache: self, name: name.to_owned(), file: None };
        loop {
            let file = File::create(&path).at(path.display())?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if script::is_part_of(name) => {
                    return Err(Error::new(format!(
                        "the build of {name} needs itself: it runs linnet, which waits for it"
                    )));
                }
                Err(TryLockError::WouldBlock) => {
                    progress::write(format_args!(
                        "waiting for another run of linnet that builds {name}"
                    ));
                    file.lock().at(path.display())?;
                }
                Err(TryLockError::Error(cause)) => return Err(Error::new(cause).at(path.display())),
            }
            // Whoever had it before has removed the file: only a file that is still there counts.
            let inode = file.metadata().at(path.display())?.ino();
            if fs::metadata(&path).is_ok_and(|there| there.ino() == inode) {
                lock.file = Some(file);
                return Ok(lock);
            }
        }
    }

    /// Removes results that nobody uses, and what builds that were stopped have left.
    fn remove_old(&self) -> Result<()> {
        let results = self.root.join("results");
        for kind in fs::read_dir(&results).at(results.display())? {
            remove_older(&kind.at(results.display())?.path(), KEEP)?;
        }
        remove_older(&self.root.join("work"), LONGEST)
    }
}

/// Removes what `directory` holds and was not changed for `age`.
fn remove_older(directory: &Path, age: Duration) -> Result<()> {
    for entry in fs::read_dir(directory).at(directory.display())? {
        let path = entry.at(directory.display())?.path();
        let changed = fs::metadata(&path).and_then(|metadata| metadata.modified());
        if changed.is_ok_and(|time| time.elapsed().is_ok_and(|found| found > age)) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Held while a thread builds.
#[derive(Debug)]
pub(crate) struct Lock<'a> {
    cache: &'a Cache,
    name: String,
    file: Option<File>,
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        if self.file.is_some() {
            // A file that stays does no harm.
            let _ = fs::remove_file(self.cache.root.join("locks").join(&self.name));
        }
        self.file = None;
        let mut held = self.cache.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&self.name);
        self.cache.released.notify_all();
    }
}

fn remove(directory: &Path) -> Result<()> {
    match fs::remove_dir_all(directory) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::new(cause).at(directory.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    /// An empty cache that is removed at the end of the test.
    struct Scratch(Cache);

    impl Scratch {
        fn new(name: &str) -> Self {
            let root = env::temp_dir().join(format!("linnet-{name}-{}", std::process::id()));
            Self(Cache::at(&root).expect("a directory"))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = remove(&self.0.root);
        }
    }

    #[test]
    fn what_failed_leaves_nothing_behind() {
        let scratch = Scratch::new("failed");
        let cache = &scratch.0;
        let key = Digest::of(b"key");
        let failed = cache.get("thing", key, |out, _| {
            fs::write(out.join("part"), "half").at("part")?;
            Err(Error::new("stopped"))
        });
        assert!(failed.is_err());
        assert_eq!(cache.find("thing", key), None);
        let built =
            cache.get("thing", key, |out, _| fs::write(out.join("whole"), "all").at("whole"));
        let built = built.expect("a result");
        assert!(built.join("whole").exists() && !built.join("part").exists());
    }

    #[test]
    fn threads_that_want_the_same_build_it_once() {
        let scratch = Scratch::new("once");
        let built = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    scratch.0.get("thing", Digest::of(b"key"), |_, _| {
                        built.fetch_add(1, Ordering::Relaxed);
                        Ok(())
                    })
                });
            }
        });
        assert_eq!(built.into_inner(), 1);
    }
}
