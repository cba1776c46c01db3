//! Files for the user that are written whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::error::{At as _, Result};

/// Writes `contents` to `path`, beside which they are collected first. What was there before stays
/// if that fails. A device or a pipe is written as it is.
pub fn write(path: &Path, contents: &[u8], mode: u32) -> Result<()> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let mut file = OpenOptions::new().write(true).open(path).at(path.display())?;
        return file.write_all(contents).at(path.display());
    }
    let beside = beside(path);
    let written = collect(&beside, contents, mode).and_then(|()| fs::rename(&beside, path));
    written
        .inspect_err(|_| {
            // It may not be there at all.
            let _ = fs::remove_file(&beside);
        })
        .at(path.display())
}

fn collect(path: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options.write(true).create(true).truncate(true).mode(mode).open(path)?;
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
