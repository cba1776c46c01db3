//! One file for each command.

pub(crate) mod boot;
pub(crate) mod build;
pub(crate) mod cc;
pub(crate) mod compile;
pub(crate) mod packages;
pub(crate) mod setup;

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use linnet_build::Error;

/// Becomes another program. Comes back only if that fails.
fn become_program(command: &mut Command) -> Error {
    let cause = command.exec();
    Error::new(cause).at(command.get_program().display())
}
