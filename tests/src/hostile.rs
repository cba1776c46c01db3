//! Programs that no compiler makes: what they do wrong ends them, and nothing else.
//!
//! The first line of a module says how it ends, `;; ends: STATUS` or `;; ends: SIGNAL`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linnet_build::{At as _, Error, Result, Target};

use crate::{Outcome, Test, files, guest, machine};

const LIMIT: Duration = Duration::from_secs(20);

/// Numbers of Linux's signals (asm-generic/signal.h).
const SIGNALS: [(&str, i32); 5] =
    [("SIGILL", 4), ("SIGABRT", 6), ("SIGBUS", 7), ("SIGSEGV", 11), ("SIGALRM", 14)];

pub(crate) fn tests(target: Target) -> Result<Vec<Test>> {
    let test = move |(name, path): (String, PathBuf)| -> Test {
        (format!("hostile::{name}"), Box::new(move || run(target, &name, &path)))
    };
    Ok(files("hostile", "wat")?.into_iter().map(test).collect())
}

/// Writes the binary form of a module where the builder can take it from.
pub(crate) fn assemble(path: &Path, target: Target) -> Result<PathBuf> {
    let module = wat::parse_file(path).at(path.display())?;
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile").join(target.name());
    fs::create_dir_all(&directory).at(directory.display())?;
    let file = directory.join(path.file_stem().unwrap_or_default()).with_extension("wasm");
    fs::write(&file, module).at(file.display())?;
    Ok(file)
}

/// The shell that started the program tells its end, and so is still there.
fn run(target: Target, name: &str, path: &Path) -> Outcome {
    let program = guest::place_of(name);
    let script =
        format!("{program}; echo $?; dmesg | grep -i -E 'oops|bug:|warning'; cat /proc/1/comm");
    let mut command = machine::command(target, guest::binary(target)?)?;
    command.args(["--", "sh", "-c", &script]);
    let ended = machine::run(&mut command, &[], machine::limit(target, LIMIT))?;
    let (found, rest) = ended.output.split_once("\ninit").unwrap_or((&ended.output, "?"));
    let status = found.lines().last().unwrap_or_default();
    if rest != "\n" || status != status_of(path)? {
        return Err(format!("{:?}\n{}", ended.status, ended.output).into());
    }
    Ok(())
}

/// What a shell says of the end that the module's first line tells.
fn status_of(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).at(path.display())?;
    let ends = text.lines().next().and_then(|line| line.strip_prefix(";; ends: "));
    let ends = ends
        .ok_or_else(|| Error::new("the first line does not say how it ends"))
        .at(path.display())?;
    let signal = SIGNALS.iter().find(|(name, _)| *name == ends);
    Ok(signal.map_or(ends.to_owned(), |(_, number)| (128 + number).to_string()))
}
