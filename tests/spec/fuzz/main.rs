//! Random modules: every target must do what wasmtime does, bit for bit: results, traps, exceptions, final
//! memories, tables and globals. Damaged modules must get an error.
//!
//! Without arguments it runs the same modules each time, which takes some seconds. `FUZZ_SECONDS=600` runs
//! for so long, with other modules each time; `FUZZ_SEED=7` begins with that module, and `FUZZ_COUNT=1`
//! runs so many. A module that fails is written to a file.

mod damage;
mod engines;
mod generate;

use engines::Engine;
use generate::Case;
use linnet_spec::Error;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Modules in one program.
const BATCH: u64 = 200;

/// Modules of a run without arguments.
const COUNT: u64 = 1000;

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
    compared: u64,
    /// Those whose NaNs the translator made alike.
    canonical_nans: u64,
    /// Those that were compared without wasmtime.
    ambiguous: u64,
    calls: u64,
    /// Calls that ended so.
    traps: u64,
    exceptions: u64,
    /// Cannot be compared: a stack was exhausted.
    exhausted: u64,
    /// The generator gave none, or one that waits.
    none: u64,
    failures: u64,
}

fn fuzz() -> Result<bool, Error> {
    let seconds = number("FUZZ_SECONDS")?.map(Duration::from_secs);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
    let first = number("FUZZ_SEED")?.unwrap_or(if seconds.is_some() { now << 16 } else { 0 });
    let count = number("FUZZ_COUNT")?.or(seconds.is_none().then_some(COUNT)).unwrap_or(u64::MAX);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let engines = Engine::all(&directory.join("spec"))?;
    let directory = directory.join("fuzz");
    // Others may run at the same time.
    let place = directory.join(std::process::id().to_string());
    fs::create_dir_all(&place)?;
    println!("modules from FUZZ_SEED={first} on");
    // What is built for the first run is no part of the time.
    let started = Instant::now();
    let mut totals = Totals::default();
    let mut damaged = damage::Totals::default();
    let mut seed = first;
    let end = first.saturating_add(count);
    while seed < end && seconds.is_none_or(|limit| started.elapsed() < limit) {
        let next = end.min(seed.saturating_add(BATCH));
        let cases: Vec<Case> = (seed..next).filter_map(generate::case).collect();
        totals.none += next - seed - cases.len() as u64;
        let seen = thread::scope(|scope| {
            let (cases, place) = (&cases, &place);
            let run = |engine| scope.spawn(move || Engine::run(engine, cases, place));
            let runs: Vec<_> = engines.iter().map(run).collect();
            let ends = runs.into_iter().map(|run| run.join().unwrap_or_else(|e| resume_unwind(e)));
            ends.collect::<Result<Vec<_>, Error>>()
        })?;
        for (i, case) in cases.iter().enumerate() {
            let all: Vec<_> = engines
                .iter()
                .zip(&seen)
                .map(|(engine, seen)| (engine.name(), &*seen[i]))
                .collect();
            let all = if case.is_ambiguous { &all[1..] } else { &all };
            totals.ambiguous += u64::from(case.is_ambiguous);
            compare(case, all, &directory, &mut totals)?;
        }
        for case in &cases {
            damage::check(case, &directory, &mut damaged)?;
        }
        seed = next;
    }
    fs::remove_dir_all(&place)?;
    println!(
        "{} modules compared, {} of them without wasmtime; the translator made NaNs alike in {}",
        totals.compared, totals.ambiguous, totals.canonical_nans
    );
    println!(
        "{} exhausted a stack; {} seeds gave none that can be compared",
        totals.exhausted, totals.none
    );
    println!(
        "{} calls: {} ended with a trap, {} with an exception",
        totals.calls, totals.traps, totals.exceptions
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

/// One word for two traps that wasmtime does not tell apart.
fn same_words(line: &str) -> String {
    line.replace("undefined element", "out of bounds table access")
}

/// Compares what all engines did with one module, each with the first.
fn compare(
    case: &Case,
    all: &[(&str, &[String])],
    directory: &Path,
    totals: &mut Totals,
) -> Result<(), Error> {
    let exhausted = |line: &String| line.contains("call stack exhausted");
    if all.iter().any(|(_, lines)| lines.iter().any(exhausted)) {
        totals.exhausted += 1;
        return Ok(());
    }
    let (first, wanted) = all[0];
    totals.compared += 1;
    totals.canonical_nans += u64::from(case.canonical_nans);
    let calls = wanted.chunks(3).filter(|lines| lines[0] == "instance");
    for line in calls.filter_map(|lines| lines.get(1)) {
        totals.calls += 1;
        totals.traps += u64::from(line.starts_with("trap"));
        totals.exceptions += u64::from(line == "uncaught exception");
    }
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
        println!("FAIL seed {}, {}, {what}", case.seed, path.display());
        if all[2..].iter().all(|(_, lines)| *lines == all[1].1) {
            println!("  all but {first} agree");
        }
        return Ok(());
    }
    Ok(())
}

/// Where something that failed is kept.
fn keep(directory: &Path, name: &str, wasm: &[u8]) -> Result<PathBuf, Error> {
    let path = directory.join(name);
    fs::write(&path, wasm)?;
    Ok(path)
}
