//! One file for each command.

pub(crate) mod boot;
pub(crate) mod build;
pub(crate) mod compile;
pub(crate) mod inspect;
pub(crate) mod packages;
pub(crate) mod run;
pub(crate) mod sdk;
pub(crate) mod setup;

use std::fmt;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use linnet_build::{At as _, Error, Result};

/// Becomes another program. Comes back only if that fails.
fn become_program(command: &mut Command) -> Error {
    let cause = linnet_process::become_program(command);
    Error::new(cause).at(command.get_program().display())
}

/// Writes a line to standard output.
fn print(line: impl fmt::Display) -> Result<()> {
    print_bytes(format!("{line}\n").as_bytes())
}

/// The same with a path, whose bytes need not be text.
fn print_path(path: &Path) -> Result<()> {
    print_bytes(&[path.as_os_str().as_bytes(), b"\n"].concat())
}

/// Writes to standard output. A reader that has gone away has seen enough.
fn print_bytes(bytes: &[u8]) -> Result<()> {
    match io::stdout().write_all(bytes) {
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.at("standard output"),
    }
}
