//! Packages of others, at work in the guest. A test is a script; its first line says which packages it
//! needs: `# with: NAMES`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linnet_build::{At as _, Error, Files, Result, Target};

use crate::{Outcome, Test, boot_binary, builder, files, machine};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn tests(target: Target) -> Result<Vec<Test>> {
    let test = move |(name, path): (String, PathBuf)| -> Test {
        (format!("packages::{name}"), Box::new(move || run(target, &path)))
    };
    Ok(files("packages", "sh")?.into_iter().map(test).collect())
}

fn run(target: Target, path: &Path) -> Outcome {
    let script = fs::read_to_string(path).at(path.display())?;
    let with = script.lines().next().and_then(|line| line.strip_prefix("# with: "));
    let with = with.ok_or_else(|| Error::new("the first line names no packages"))?;
    let builder = builder()?;
    let mut files = Files::default();
    for package in with.split(',') {
        files.merge(builder.files(package)?);
    }
    let binary = boot_binary(target, files)?;
    let mut command = machine::command(target, &binary)?;
    command.args(["--", "sh", "-c", &script]);
    let limit = machine::limit(target, LIMIT);
    let ended = machine::run(&mut command, &[], limit)?;
    match ended.status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("{status}\n{}", ended.output).into()),
        None => Err(format!("no end after {limit:?}\n{}", ended.output).into()),
    }
}
