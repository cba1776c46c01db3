//! Where builds take place that other projects' scripts do.
//!
//! That is below the cache, unless its path has spaces, quotes or the like: make has no names with spaces, Linux
//! refuses to be built there, and few scripts quote what they should. Then it is a directory of its own, with a
//! link to the cache, and what was built is copied.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use crate::error::{At as _, Error, Result};

/// Large, and kept over a reboot: the next build of a kernel takes up the objects of the last one.
const PLACE: &str = "/var/tmp";

const CACHE: &str = "cache";

pub(crate) struct Workshop<'a> {
    cache: &'a Path,
    /// If it is not the cache itself.
    own: Option<PathBuf>,
}

impl<'a> Workshop<'a> {
    pub(crate) fn of(cache: &'a Path) -> Result<Self> {
        if is_plain(cache) {
            return Ok(Self { cache, own: None });
        }
        let user = rustix::process::getuid().as_raw();
        let digest = Digest::of(cache.as_os_str().as_bytes()).to_string();
        let own = Path::new(PLACE).join(format!("linnet-{user}-{}", &digest[..16]));
        prepare(&own, user, cache).map_err(|error| {
            let cache = cache.display();
            error.hint(format!(
                "{cache}: set LINNET_CACHE to a path that needs no quotes in a shell"
            ))
        })?;
        Ok(Self { cache, own: Some(own) })
    }

    /// A file or directory of builds.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.own.as_deref().unwrap_or(self.cache).join(name)
    }

    /// What scripts call a file of the cache.
    pub(crate) fn name_of(&self, path: &Path) -> PathBuf {
        match (&self.own, path.strip_prefix(self.cache)) {
            (Some(own), Ok(rest)) => own.join(CACHE).join(rest),
            _ => path.to_owned(),
        }
    }

    /// Empty directories in place of two of the cache: one for what is built, one to work in.
    pub(crate) fn directories(&self, out: &Path, work: &Path) -> Result<(PathBuf, PathBuf)> {
        let Some(own) = &self.own else { return Ok((out.to_owned(), work.to_owned())) };
        let name_of = |path: &Path| own.join(path.strip_prefix(self.cache).unwrap_or(path));
        let directories = (name_of(out), name_of(work));
        for directory in [&directories.0, &directories.1] {
            // What a build left that was stopped.
            let _ = fs::remove_dir_all(directory);
            fs::create_dir_all(directory).at(directory.display())?;
        }
        Ok(directories)
    }

    /// Moves what was built into the directory of the cache for which `built` is.
    pub(crate) fn bring(&self, built: &Path, out: &Path) -> Result<()> {
        if self.own.is_none() {
            return Ok(());
        }
        // Maybe to another file system.
        let mut copy = linnet_process::command("cp");
        let status = copy.arg("-a").arg(built.join(".")).arg(out).status().at("cp")?;
        if !status.success() {
            return Err(Error::new(format!("cp: {status}")).at(out.display()));
        }
        let above = built.parent().unwrap_or(built);
        fs::remove_dir_all(above).at(above.display())
    }
}

/// Whether no make and no shell takes the path for something else.
fn is_plain(path: &Path) -> bool {
    let is_plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+,@".contains(byte) || *byte >= 128;
    path.as_os_str().as_bytes().iter().all(is_plain)
}

/// Makes the directory for this user alone: others can write beside it.
fn prepare(own: &Path, user: u32, cache: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(own) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::new(cause).at(own.display()));
        }
        _ => {}
    }
    let there = fs::symlink_metadata(own).at(own.display())?;
    if !there.is_dir() || there.uid() != user || there.mode() & 0o077 != 0 {
        return Err(Error::new("not a directory of this user alone").at(own.display()));
    }
    let link = own.join(CACHE);
    match symlink(cache, &link) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::new(cause).at(link.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_a_plain_path_nothing_moves() {
        let cache = Path::new("/home/\u{fc}ser/.cache/linnet-1.0+git");
        let workshop = Workshop::of(cache).expect("a workshop");
        assert_eq!(workshop.path("trees"), cache.join("trees"));
        let (out, work) = (cache.join("work/x/result"), cache.join("work/x/work"));
        assert_eq!(workshop.directories(&out, &work).expect("as they are"), (out, work));
    }

    #[test]
    fn what_is_built_elsewhere_comes_to_the_cache() {
        let root = std::env::temp_dir().join(format!("linnet workshop's {}", std::process::id()));
        let (out, work) = (root.join("work/x/result"), root.join("work/x/work"));
        fs::create_dir_all(&out).expect("a directory");
        fs::write(root.join("input"), "in").expect("written");
        let workshop = Workshop::of(&root).expect("a workshop");
        let (built, scratch) = workshop.directories(&out, &work).expect("directories");
        assert!(is_plain(&built) && is_plain(&scratch) && is_plain(&workshop.path("trees")));
        let input = workshop.name_of(&root.join("input"));
        assert!(is_plain(&input));
        assert_eq!(fs::read(input).expect("the input"), b"in");
        assert_eq!(workshop.name_of(Path::new("/etc/my file")), Path::new("/etc/my file"));
        fs::create_dir(built.join("include")).expect("a directory");
        fs::write(built.join("include/a.h"), "text").expect("written");
        workshop.bring(&built, &out).expect("copied");
        assert_eq!(fs::read(out.join("include/a.h")).expect("there"), b"text");
        assert!(!built.exists() && !scratch.exists());
        fs::remove_dir_all(workshop.path("")).expect("removed");
        fs::remove_dir_all(&root).expect("removed");
    }
}
