//! What runs modules: wasmtime, and the translator's code on each target.

use crate::generate::Case;
use linnet_codegen::{Options, Target, translate};
use linnet_spec::Error;
use linnet_spec::link::{Toolchain, module_table, reference};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A batch that takes longer has a module that does not end.
const LIMIT_SECONDS: u64 = 120;

pub(crate) enum Engine {
    /// The program that asks it.
    Wasmtime(PathBuf),
    Translated(Target, Toolchain),
}

/// What each module did, line by line.
pub(crate) type Seen = Vec<Vec<String>>;

impl Engine {
    /// Builds what they take.
    pub(crate) fn all(directory: &Path) -> Result<Vec<Engine>, Error> {
        let mut engines = vec![Engine::Wasmtime(reference(&directory.join("reference"))?)];
        for target in Target::ALL {
            let toolchain =
                Toolchain::new(target, "linnet-spec-driver", &directory.join("driver"))?;
            engines.push(Engine::Translated(target, toolchain));
        }
        Ok(engines)
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Engine::Wasmtime(_) => "wasmtime",
            Engine::Translated(target, _) => target.name(),
        }
    }

    /// Runs modules, with files in a directory of their own.
    pub(crate) fn run(&self, cases: &[Case], place: &Path) -> Result<Seen, Error> {
        let place = place.join(self.name());
        fs::create_dir_all(&place)?;
        let (translated, command) = match self {
            Engine::Wasmtime(program) => {
                for (i, case) in cases.iter().enumerate() {
                    fs::write(place.join(format!("m{i}.wasm")), &case.wasm)?;
                }
                let mut command = Command::new(program);
                command.arg(&place);
                ((0..cases.len()).map(Ok).collect(), command)
            }
            Engine::Translated(target, toolchain) => {
                let program = place.join("modules");
                let translated = link(cases, *target, toolchain, &place, &program)?;
                (translated, toolchain.command(&program))
            }
        };
        run(cases, translated, &command, &place.join("script"))
    }
}

/// Makes a program of modules; their numbers in it, or why one is missing.
fn link(
    cases: &[Case],
    target: Target,
    toolchain: &Toolchain,
    place: &Path,
    program: &Path,
) -> Result<Vec<Result<usize, String>>, Error> {
    let (mut objects, mut prefixes, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
    for (i, case) in cases.iter().enumerate() {
        let prefix = format!("m{i}");
        let canonical_nans = case.canonical_nans;
        let options = Options { canonical_nans, ..Options::host(target, &prefix) };
        numbers.push(match translate(&case.wasm, &options) {
            Ok(object) => {
                let path = place.join(format!("{prefix}.o"));
                fs::write(&path, object.bytes)?;
                objects.push(path);
                prefixes.push(prefix);
                Ok(prefixes.len() - 1)
            }
            Err(cause) => Err(format!("not translated: {cause}")),
        });
    }
    let table = place.join("modules.o");
    fs::write(&table, module_table(target, &prefixes)?)?;
    objects.push(table);
    toolchain.link(&objects, program)?;
    Ok(numbers)
}

/// Runs the modules that have a number, all in one process unless one of them ends it.
fn run(
    cases: &[Case],
    numbers: Vec<Result<usize, String>>,
    command: &Command,
    script: &Path,
) -> Result<Seen, Error> {
    let mut seen: Seen = vec![Vec::new(); cases.len()];
    let mut left = Vec::new();
    for (i, number) in numbers.into_iter().enumerate() {
        match number {
            Ok(number) => left.push((i, number)),
            Err(cause) => seen[i].push(cause),
        }
    }
    while !left.is_empty() {
        let text: String = left.iter().map(|(i, number)| cases[*i].script(*i, *number)).collect();
        fs::write(script, text)?;
        let (output, status) = limited(command, script)?;
        let mut last = left[0].0;
        for line in output.lines() {
            let Some((case, text)) = line.strip_prefix("OUT ").and_then(|l| l.split_once(' '))
            else {
                continue;
            };
            last = case.parse()?;
            seen[last].push(text.to_owned());
        }
        if output.lines().last().is_some_and(|line| line.starts_with("DONE")) {
            break;
        }
        // The others go on without the one that ended the program.
        let is_whole = seen[last].len() == cases[last].lines();
        let culprit = left.iter().map(|(i, _)| *i).find(|i| *i >= last + usize::from(is_whole));
        let culprit = culprit.unwrap_or(last);
        seen[culprit].push(format!("the program ended: {status}"));
        left.retain(|(i, _)| *i > culprit);
    }
    Ok(seen)
}

/// Runs a script, for so long at most: what it prints, and how it ended.
fn limited(command: &Command, script: &Path) -> Result<(String, String), Error> {
    let mut whole = Command::new("timeout");
    whole.arg(LIMIT_SECONDS.to_string()).arg(command.get_program()).args(command.get_args());
    let Output { status, stdout, stderr } = whole.arg(script).output()?;
    let cause = String::from_utf8_lossy(&stderr).replace('\n', "; ");
    Ok((String::from_utf8_lossy(&stdout).into_owned(), format!("{status} {cause}")))
}
