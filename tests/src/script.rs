//! Scripts of the host that start machines as scripts do. Such a script runs in an empty directory, with
//! the command that starts a machine in `VM`; it fails if it exits with something else than 0, and says why.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use linnet_build::{At as _, Error, Result, Target, host};

use crate::machine::{self, Ended};
use crate::{Outcome, Test, cli, files, vm};

const LIMIT: Duration = Duration::from_secs(180);

/// Scripts about what a program gets from who starts it. `linnet boot` passes on all of it.
const ABOUT_CALLERS: [&str; 5] = [
    "closed-streams-stay-closed",
    "input-that-no-program-reads-is-left",
    "signals-end-the-machine",
    "streams-of-every-kind",
    "writers-without-a-reader-get-sigpipe",
];

pub(crate) fn tests(target: Target) -> Result<Vec<Test>> {
    let mut tests: Vec<Test> = Vec::new();
    for (name, path) in files("scripts", "sh")? {
        let directory = |kind: &str| {
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("script").join(format!("{name}-{kind}"))
        };
        let (script, place) = (path.clone(), directory(target.name()));
        let by_itself = move || run(&script, &place, target, &start(target)?);
        tests.push((format!("script::{name}"), Box::new(by_itself)));
        if target == host()? && ABOUT_CALLERS.contains(&name.as_str()) {
            let place = directory("linnet");
            let by_linnet = move || {
                let boot = format!("{} boot", cli::linnet()?.display());
                run(&path, &place, target, &boot)
            };
            tests.push((format!("script-of-linnet::{name}"), Box::new(by_linnet)));
        }
    }
    Ok(tests)
}

/// `vm` are the words that start a machine.
fn run(script: &Path, directory: &Path, target: Target, vm: &str) -> Outcome {
    // What an earlier run left.
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory).at(directory.display())?;
    let mut command = Command::new("sh");
    command.arg("-u").arg(script).current_dir(directory).env("VM", vm);
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
