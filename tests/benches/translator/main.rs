//! How fast translated programs are, against native code and against other translators.
//!
//! | file             | what it does                                                 |
//! |------------------|--------------------------------------------------------------|
//! | `programs.rs`    | the programs and where their sources come from               |
//! | `programs/`      | what each does                                               |
//! | `harness.c`      | takes the time, inside the program                           |
//! | `alloc.c`        | the malloc of all programs                                   |
//! | `engines.rs`     | builds and runs them for each of the compilers               |
//! | `wasi/`          | what the other translators need to run them                  |
//! | `translation.rs` | how fast modules are translated                              |
//! | `report.rs`      | the table, the picture, and the page of the documentation    |
//!
//! Runs of all engines take turns, so that what else the machine does meets all of them. The arguments
//! are names of programs. Without any, all run and the page is written. `--engines=Linnet,frames` leaves the
//! other engines out, but for clang, which all are compared with; the last word of an engine's name is enough.

#![forbid(unsafe_code)]

mod engines;
mod programs;
mod report;
mod translation;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use engines::{Engine, Engines};
use linnet_build::{Builder, Error, Result};
use programs::{PROGRAMS, Program};
use translation::Translations;

const ROUNDS: usize = 5;

/// Before the names of engines.
const ENGINES: &str = "--engines=";

/// The shortest run of each program and engine, in nanoseconds.
pub(crate) type Times = BTreeMap<(&'static str, Engine), f64>;

fn main() -> ExitCode {
    // Cargo adds an option of its own.
    let names: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let result = match names.split_first() {
        Some((first, rest)) if first == translation::TRANSLATE => translation::translate_one(rest),
        _ => run(&names),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let (engines, names): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|word| word.starts_with(ENGINES));
    let chosen: Vec<&str> =
        engines.iter().flat_map(|word| word[ENGINES.len()..].split(',')).collect();
    let wanted = |p: &&Program| names.is_empty() || names.iter().any(|name| *name == p.name);
    let programs: Vec<&Program> = PROGRAMS.iter().filter(wanted).collect();
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("translator");
    let builder = Builder::new()?;
    let engines = Engines::build(&builder, &work, &programs, &chosen)?;
    let mut times = Times::new();
    let mut sums: BTreeMap<&str, String> = BTreeMap::new();
    let mut loads = Vec::new();
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        loads.push(report::load()?);
        for program in &programs {
            for engine in Engine::ALL.into_iter().filter(|engine| engines.has(*engine)) {
                let (time, sum) = engines.run(engine, program)?;
                let known = sums.entry(program.name).or_insert_with(|| sum.clone());
                if *known != sum {
                    let what = format!("the result is {sum}, not {known}");
                    return Err(Error::new(what).at(program.name).at(engine));
                }
                let best = times.entry((program.name, engine)).or_insert(time);
                *best = best.min(time);
            }
        }
    }
    let report = report::Report { programs: &programs, times: &times, missing: &engines.missing };
    print!("{}", report.table());
    if arguments.is_empty() {
        let sqlite = programs.iter().find(|program| program.name == "sqlite");
        let sqlite = sqlite.ok_or_else(|| Error::new("no program is called sqlite"))?;
        let translations = Translations::measure(&builder, &engines, sqlite)?;
        report.write(&loads, &translations)?;
    }
    Ok(())
}
