//! Files for the user that are written whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use crate::error::{At as _, Result};

/// Writes `contents` to `path`. They are collected in a file without a name first, so that what was there
/// before stays if that fails, and nothing stays of a process that is killed. A device or a pipe is written
/// as it is.
pub fn write(path: &Path, contents: &[u8], mode: u32) -> Result<()> {
    let there = fs::metadata(path);
    if there.as_ref().is_ok_and(fs::Metadata::is_dir) {
        return Err(io::Error::from(io::ErrorKind::IsADirectory)).at(path.display());
    }
    if there.is_ok_and(|there| !there.is_file()) {
        let mut file = OpenOptions::new().write(true).open(path).at(path.display())?;
        return file.write_all(contents).at(path.display());
    }
    let beside = beside(path);
    let written = match without_a_name(path, mode) {
        Some(file) => fill(&file, contents).and_then(|()| name(&file, path, &beside)),
        None => collect(&beside, contents, mode).and_then(|()| fs::rename(&beside, path)),
    };
    written
        .inspect_err(|_| {
            // It may not be there at all.
            let _ = fs::remove_file(&beside);
        })
        .at(path.display())
}

/// A file in the directory of `path`, if the file system has files without a name.
fn without_a_name(path: &Path, mode: u32) -> Option<File> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let directory = directory.unwrap_or(Path::new("."));
    let file = rustix::fs::open(directory, flags, Mode::from_raw_mode(mode)).ok()?;
    let file = File::from(file);
    fs::metadata(address(&file)).is_ok().then_some(file)
}

/// What a name is given by.
fn address(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Gives a file the name `path`, and takes it from the one that has it.
fn name(file: &File, path: &Path, beside: &Path) -> io::Result<()> {
    let link = |to: &Path| rustix::fs::linkat(CWD, address(file), CWD, to, AtFlags::SYMLINK_FOLLOW);
    match link(path) {
        Err(rustix::io::Errno::EXIST) => {
            link(beside)?;
            fs::rename(beside, path)
        }
        done => Ok(done?),
    }
}

fn collect(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut options = File::options();
    fill(&options.write(true).create(true).truncate(true).mode(mode).open(path)?, contents)
}

fn fill(mut file: &File, contents: &[u8]) -> io::Result<()> {
    file.write_all(contents)?;
    file.sync_data()
}

/// A name that nothing else has, in the same directory.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_until_all_is_written() {
        let directory = std::env::temp_dir().join(format!("linnet-output-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let file = directory.join("file");
        write(&file, b"old", 0o600).expect("written");
        // A directory in the way of the new contents, as a full disk would be.
        fs::create_dir(beside(&file)).expect("a directory");
        assert!(write(&file, b"new", 0o600).is_err());
        assert!(collect(&beside(&file), b"new", 0o600).is_err());
        assert_eq!(fs::read(&file).expect("the file"), b"old");
        fs::remove_dir(beside(&file)).expect("an empty directory");
        write(&file, b"new", 0o600).expect("written");
        assert_eq!(fs::read(&file).expect("the file"), b"new");
        assert_eq!(fs::read_dir(&directory).expect("a directory").count(), 1);
        fs::remove_dir_all(&directory).expect("removed");
    }

    #[test]
    fn devices_are_written_as_they_are() {
        let error = write(Path::new("/dev/full"), b"text", 0o600).expect_err("full");
        assert_eq!(error.message(), "/dev/full: No space left on device");
        assert!(write(Path::new("/dev/null"), b"text", 0o600).is_ok());
    }
}
