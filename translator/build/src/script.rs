//! Runs a build command with its output in a log.

use std::collections::VecDeque;
use std::env;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _, pipe};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{At as _, Error, Result};
use crate::progress::Step;

/// Lines at the end of the log that are shown when a command fails.
const TAIL: usize = 20;

/// Lines before these that are shown because they tell of an error: where many files are compiled
/// at a time, the end of the log is not what matters.
const ERRORS: usize = 10;

/// What a build sees of the environment that linnet was started in: what the user has for his own programs, such as
/// CC or MAKEFLAGS, is not meant for the guest's.
const KEPT: [&str; 9] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TERM",
    "LINNET_CACHE",
    "XDG_CACHE_HOME",
];

/// Names of the locks that the runs of linnet hold that a build is part of.
pub(crate) const BUILDING: &str = "LINNET_BUILDING";

/// Lets a build see what every run of it sees, and that it is the one which holds `lock`.
pub(crate) fn clear_environment(command: &mut Command, lock: &str) {
    command.env_clear().env("LC_ALL", "C");
    for name in KEPT {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    let above = env::var(BUILDING).unwrap_or_default();
    command.env(BUILDING, format!("{above} {lock}"));
}

/// Is this run part of a build that holds `lock`?
pub(crate) fn is_part_of(lock: &str) -> bool {
    env::var(BUILDING).is_ok_and(|locks| locks.split(' ').any(|held| held == lock))
}

/// Runs `command` to its end. If it fails, the error holds the end of its output.
pub(crate) fn run(command: &mut Command, log: &Path, step: &Step<'_>) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut file = File::create(log).at(log.display())?;
    let (reader, writer) = pipe().at(&name)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().at(&name)?).stderr(writer);
    let mut child = command.spawn().at(&name)?;
    // The command still holds the pipe's writing ends; without them the pipe ends with the child.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let mut tail: VecDeque<String> = VecDeque::with_capacity(TAIL);
    let mut errors = Vec::new();
    let mut output = BufReader::new(reader);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).at(&name)? > 0 {
        file.write_all(&line).at(log.display())?;
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        step.line(&text);
        if tail.len() == TAIL
            && let Some(line) = tail.pop_front()
            && errors.len() < ERRORS
            && tells_of_error(&line)
        {
            errors.push(line);
        }
        tail.push_back(text);
        line.clear();
    }
    let status = child.wait().at(&name)?;
    if status.success() {
        return Ok(());
    }
    let mut message = format!("{name}: {status}");
    for line in errors.into_iter().chain(tail) {
        message += "\n    ";
        message += &line;
    }
    Err(Error::new(message).hint(format!("the whole output is in {}", log.display())))
}

/// In the words of clang or make.
fn tells_of_error(line: &str) -> bool {
    line.contains("error: ") || line.contains("*** [")
}
