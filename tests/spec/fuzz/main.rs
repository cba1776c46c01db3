//! Random modules: every target must do the same as an interpreter, and the targets the same as each
//! other, bit for bit: results, traps, final memories, tables and globals. Damaged modules must get an
//! error.
//!
//! Without arguments it runs the same modules each time, which takes some seconds. `FUZZ_SECONDS=600` runs
//! for so long, with other modules each time; `FUZZ_SEED=7` begins with that module, and `FUZZ_COUNT=1`
//! runs so many. A module that fails is written to a file.

mod damage;
mod generate;
mod reference;

use generate::{Case, Kind};
use linnet_codegen::{Options, Target, translate};
use linnet_spec::Error;
use linnet_spec::link::{Toolchain, module_table};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// Modules in one program.
const BATCH: u64 = 200;

/// Modules of a run without arguments.
const COUNT: u64 = 600;

/// Modules that the interpreter (wasmi 2.0.0) does wrong; the targets are compared with each other only.
/// V8 does what the targets do in all of them. 2040: a global differs; in the others it divides by zero,
/// in 248 after `i32.const 1`, `local.get 2`, `local.get 2`, `i32.eqz`, `select`,
/// `local.set 2`, before which the local was 0.
const INTERPRETER_IS_WRONG: [u64; 5] = [248, 1141, 1208, 1501, 2040];

/// A batch that takes longer has a module that does not end.
const LIMIT_SECONDS: u64 = 120;

fn main() -> ExitCode {
    match fuzz() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            println!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn number(name: &str) -> Result<Option<u64>, Error> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text.parse().map_err(|_| format!("{name}={text} is no number"))?)),
        Err(_) => Ok(None),
    }
}

/// What happened to the modules.
#[derive(Default)]
struct Totals {
    /// Modules that were compared.
    compared: BTreeMap<Kind, u64>,
    calls: u64,
    traps: u64,
    /// Cannot be compared: a stack was exhausted.
    exhausted: u64,
    /// The generator gave none, or one that waits.
    none: u64,
    failures: u64,
}

fn fuzz() -> Result<bool, Error> {
    let started = Instant::now();
    let seconds = number("FUZZ_SECONDS")?.map(Duration::from_secs);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let first = number("FUZZ_SEED")?.unwrap_or(if seconds.is_some() { now << 16 } else { 0 });
    let count = number("FUZZ_COUNT")?.or(seconds.is_none().then_some(COUNT)).unwrap_or(u64::MAX);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    let builds = Path::new(env!("CARGO_TARGET_TMPDIR")).join("spec/driver");
    let mut toolchains = Vec::new();
    for target in Target::ALL {
        fs::create_dir_all(directory.join(target.name()))?;
        toolchains.push((target, Toolchain::new(target, "linnet-spec-driver", &builds)?));
    }
    println!("modules from FUZZ_SEED={first} on");
    let mut totals = Totals::default();
    let mut damaged = damage::Totals::default();
    let mut seed = first;
    let end = first.saturating_add(count);
    while seed < end && seconds.is_none_or(|limit| started.elapsed() < limit) {
        let next = end.min(seed.saturating_add(BATCH));
        let cases: Vec<Case> = (seed..next).filter_map(generate::case).collect();
        totals.none += next - seed - cases.len() as u64;
        batch(&cases, &toolchains, &directory, &mut totals)?;
        for case in &cases {
            damage::check(case, &directory, &mut damaged)?;
        }
        seed = next;
    }
    for (kind, count) in &totals.compared {
        println!("{}: {count} modules", kind.name());
    }
    println!(
        "{} calls, {} of them ended with a trap; {} modules exhausted a stack; {} seeds without a module",
        totals.calls, totals.traps, totals.exhausted, totals.none
    );
    println!(
        "{} damaged modules, {} of them refused; the slowest took {} ms",
        damaged.modules,
        damaged.refused,
        damaged.slowest.as_millis()
    );
    let failures = totals.failures + damaged.failures;
    println!("{failures} failures in {:.0} s", started.elapsed().as_secs_f64());
    Ok(failures == 0)
}

fn batch(
    cases: &[Case],
    toolchains: &[(Target, Toolchain)],
    directory: &Path,
    totals: &mut Totals,
) -> Result<(), Error> {
    let mut seen = Vec::new();
    for (target, toolchain) in toolchains {
        seen.push((target.name(), run(cases, *target, toolchain, &directory.join(target.name()))?));
    }
    for (number, case) in cases.iter().enumerate() {
        let mut all: Vec<(&str, Vec<String>)> =
            seen.iter().map(|(name, lines)| (*name, lines[number].clone())).collect();
        if case.kind == Kind::Reference && !INTERPRETER_IS_WRONG.contains(&case.seed) {
            match reference::run(case) {
                Ok(lines) => all.insert(0, ("interpreter", lines)),
                Err(cause) => all.insert(0, ("interpreter", vec![cause])),
            }
        }
        compare(case, &all, directory, totals)?;
    }
    Ok(())
}

/// One word for two traps that the interpreter does not tell apart.
fn same_words(line: &str) -> String {
    line.replace("undefined element", "out of bounds table access")
}

fn compare(
    case: &Case,
    all: &[(&str, Vec<String>)],
    directory: &Path,
    totals: &mut Totals,
) -> Result<(), Error> {
    let exhausted = |line: &String| line.contains("call stack exhausted");
    if all.iter().any(|(_, lines)| lines.iter().any(exhausted)) {
        totals.exhausted += 1;
        return Ok(());
    }
    *totals.compared.entry(case.kind).or_default() += 1;
    let (first, wanted) = &all[0];
    totals.calls += wanted.len().saturating_sub(2) as u64;
    totals.traps += wanted.iter().filter(|line| line.starts_with("trap")).count() as u64;
    for (target, found) in &all[1..] {
        let lines = wanted.iter().map(|l| same_words(l)).zip(found.iter().map(|l| same_words(l)));
        let different = lines.enumerate().find(|(_, (wanted, found))| wanted != found);
        let what = match different {
            Some((line, (wanted, found))) => {
                format!("line {line}:\n  {first}: {wanted}\n  {target}: {found}")
            }
            None if wanted.len() == found.len() => continue,
            None => format!("{first}: {} lines, {target}: {} lines", wanted.len(), found.len()),
        };
        totals.failures += 1;
        let path = keep(directory, &format!("{}.wasm", case.seed), &case.wasm)?;
        println!("FAIL seed {} ({}), {}, {what}", case.seed, case.kind.name(), path.display());
        if all[2..].iter().all(|(_, lines)| *lines == all[1].1) {
            println!("  all but {first} agree");
        }
        return Ok(());
    }
    Ok(())
}

/// What each module does on a target, line by line.
fn run(
    cases: &[Case],
    target: Target,
    toolchain: &Toolchain,
    place: &Path,
) -> Result<Vec<Vec<String>>, Error> {
    let mut seen: Vec<Vec<String>> = vec![Vec::new(); cases.len()];
    let mut objects = Vec::new();
    // Numbers of the modules in the program.
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    let mut prefixes = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        let prefix = format!("m{i}");
        let options =
            Options { canonical_nans: case.kind == Kind::Nans, ..Options::host(target, &prefix) };
        match translate(&case.wasm, &options) {
            Ok(object) => {
                let path = place.join(format!("{prefix}.o"));
                fs::write(&path, object.bytes)?;
                objects.push(path);
                numbers.insert(i, prefixes.len());
                prefixes.push(prefix);
            }
            Err(cause) => seen[i] = vec![format!("not translated: {cause}")],
        }
    }
    let table = place.join("modules.o");
    fs::write(&table, module_table(target, &prefixes)?)?;
    objects.push(table);
    let program = place.join("modules");
    toolchain.link(&objects, &program)?;
    let mut left: Vec<usize> = (0..cases.len()).filter(|i| numbers.contains_key(i)).collect();
    while !left.is_empty() {
        let script: String = left.iter().map(|i| cases[*i].script(numbers[i])).collect();
        let path = place.join("script");
        fs::write(&path, script)?;
        let (output, status) = limited(toolchain.command(&program).arg(&path))?;
        let place_of: HashMap<usize, usize> = left.iter().map(|i| (numbers[i], *i)).collect();
        let mut last = left[0];
        for line in output.lines() {
            let Some((number, text)) = line.strip_prefix("OUT ").and_then(|l| l.split_once(' '))
            else {
                continue;
            };
            if let Some(case) = number.parse().ok().and_then(|n| place_of.get(&n)) {
                last = *case;
                seen[last].push(text.to_owned());
            }
        }
        if output.lines().last().is_some_and(|line| line.starts_with("DONE")) {
            break;
        }
        // The others go on without the one that ended the program.
        let is_whole = left.iter().position(|i| *i == last).unwrap_or(0);
        let is_next = seen[last].len() == cases[last].calls.len() + 2;
        let culprit = left[(is_whole + usize::from(is_next)).min(left.len() - 1)];
        seen[culprit].push(format!("the program ended: {status}"));
        left.retain(|i| *i > culprit);
    }
    Ok(seen)
}

/// Runs a program, for so long at most.
fn limited(command: &mut Command) -> Result<(String, String), Error> {
    let mut whole = Command::new("timeout");
    whole.arg(LIMIT_SECONDS.to_string()).arg(command.get_program()).args(command.get_args());
    let output = whole.stderr(Stdio::null()).output()?;
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.to_string()))
}

/// Where something that failed is kept.
fn keep(directory: &Path, name: &str, wasm: &[u8]) -> Result<PathBuf, Error> {
    let path = directory.join(name);
    fs::write(&path, wasm)?;
    Ok(path)
}
