//! Scripts of the host that start machines as scripts do. Such a script runs in an empty directory, with
//! the command that starts a machine in `VM`; it fails if it exits with something else than 0, and says why.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use linnet_build::{At as _, Error, Result, Target};

use crate::machine::{self, Ended};
use crate::{Outcome, Test, files, vm};

const LIMIT: Duration = Duration::from_secs(180);

pub(crate) fn tests(target: Target) -> Result<Vec<Test>> {
    let test = |(name, path): (String, PathBuf)| -> Test {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("script")
            .join(format!("{name}-{}", target.name()));
        (format!("script::{name}"), Box::new(move || run(&path, &directory, target)))
    };
    Ok(files("scripts", "sh")?.into_iter().map(test).collect())
}

fn run(script: &Path, directory: &Path, target: Target) -> Outcome {
    // What an earlier run left.
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory).at(directory.display())?;
    let mut command = Command::new("sh");
    command.arg("-u").arg(script).current_dir(directory).env("VM", start(target)?);
    let Ended { status, output } = machine::run(&mut command, &[], machine::limit(target, LIMIT))?;
    match status {
        Some(status) if status.success() => Ok(()),
        status => Err(Error::new(format!("{status:?}\n{output}")).into()),
    }
}

/// The words that start a machine, for a shell; options may follow.
pub(crate) fn start(target: Target) -> Result<String> {
    let (program, first) = machine::program(target, &vm(target)?)?;
    // An emulator has no sandbox for the machine, which would say so on standard error.
    let first = first.map(|first| format!(" {} --no-sandbox", first.display())).unwrap_or_default();
    Ok(format!("{}{first}", program.display()))
}
