//! Packages of others, at work in the guest. A test is a script; its first line says which packages it
//! needs: `# with: NAMES`.
//!
//! `NAME-upstream` are a package's own tests: `check` in its recipe. Comments in the script `check/run` say
//! what it needs, if it is more than usual: `# limit: SECONDS`, and `# boot: OPTIONS` of the machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linnet_build::{At as _, Error, Files, Result, Target};

use crate::{Outcome, Test, boot_binary, builder, directory, files, machine};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn tests(target: Target) -> Result<Vec<Test>> {
    let test = move |(name, path): (String, PathBuf)| -> Test {
        (format!("packages::{name}"), Box::new(move || at_work(target, &path)))
    };
    let upstream = move |name: String| -> Test {
        (format!("packages::{name}-upstream"), Box::new(move || upstream(target, &name)))
    };
    let scripts = files("packages", "sh")?.into_iter().map(test);
    Ok(scripts.chain(with_tests()?.into_iter().map(upstream)).collect())
}

/// Packages whose recipes have their own tests.
fn with_tests() -> Result<Vec<String>> {
    let recipes = directory().join("../sysroot/packages");
    let mut found = Vec::new();
    for entry in fs::read_dir(&recipes).at(recipes.display())? {
        let entry = entry.at(recipes.display())?;
        if entry.path().join("check/run").exists() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

fn at_work(target: Target, path: &Path) -> Outcome {
    let script = fs::read_to_string(path).at(path.display())?;
    let with = script.lines().next().and_then(|line| line.strip_prefix("# with: "));
    let with = with.ok_or_else(|| Error::new("the first line names no packages"))?;
    let builder = builder()?;
    let mut files = Files::default();
    for package in with.split(',') {
        files.merge(&builder.files(package)?)?;
    }
    run(target, files, &script)
}

fn upstream(target: Target, name: &str) -> Outcome {
    let check = builder()?.package_check(name)?;
    let check = check.ok_or_else(|| Error::new("the recipe has no tests"))?;
    let script = fs::read_to_string(&check.script).at(check.script.display())?;
    run(target, check.files, &script)
}

fn run(target: Target, files: Files, script: &str) -> Outcome {
    let binary = boot_binary(target, files)?;
    let comment = |key: &str| script.lines().find_map(|line| line.strip_prefix(key));
    let limit = match comment("# limit: ") {
        Some(seconds) => Duration::from_secs(seconds.parse().at("# limit:")?),
        None => LIMIT,
    };
    let mut command = machine::command(target, &binary)?;
    command.args(comment("# boot: ").unwrap_or_default().split_whitespace());
    command.args(["--", "sh", "-c", script]);
    let limit = machine::limit(target, limit);
    let ended = machine::run(&mut command, &[], limit)?;
    match ended.status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("{status}\n{}", ended.output).into()),
        None => Err(format!("no end after {limit:?}\n{}", ended.output).into()),
    }
}
