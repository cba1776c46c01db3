//! What processes, threads, memory and system calls cost in the guest, against the host and against
//! User-Mode Linux.
//!
//! | file          | what it does                                                     |
//! |---------------|------------------------------------------------------------------|
//! | `process.c`   | the measures; the same source for all systems                    |
//! | `measure.h`   | how one is taken                                                 |
//! | `leave.c`     | the program that the measures of exec start                      |
//! | `uml-init.c`  | the first process under User-Mode Linux                          |
//! | `uml-xstate.c`| lets User-Mode Linux run on recent CPUs                          |
//! | `systems.rs`  | builds these programs and starts the systems                     |
//! | `report.rs`   | the table, and the page of the documentation                     |
//!
//! The systems take turns, so that what else the machine does meets all of them. The arguments are
//! names of measures. Without any, all are taken and the page is written. `LINNET_KERNEL=6.12-4k` takes
//! another kernel for the guest and writes no page.

#![forbid(unsafe_code)]

mod report;
mod systems;

use std::collections::BTreeMap;
use std::process::ExitCode;

use linnet_build::Result;
use systems::{Systems, Which};

const ROUNDS: usize = 3;

/// Nanoseconds of each round, by measure and system.
#[derive(Default)]
struct Results {
    /// In the order of the program.
    measures: Vec<String>,
    times: BTreeMap<(String, Which), Vec<f64>>,
}

impl Results {
    fn add(&mut self, measure: &str, which: Which, time: f64) {
        if !self.measures.iter().any(|known| known == measure) {
            self.measures.push(measure.to_owned());
        }
        self.times.entry((measure.to_owned(), which)).or_default().push(time);
    }

    /// The median of the rounds.
    fn get(&self, measure: &str, which: Which) -> Option<f64> {
        let mut times = self.times.get(&(measure.to_owned(), which))?.clone();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied()
    }
}

fn main() -> ExitCode {
    // Cargo adds an option of its own.
    let names: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match run(&names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(names: &[String]) -> Result<()> {
    let mut systems = Systems::build()?;
    let mut results = Results::default();
    let mut loads = Vec::new();
    for round in 1..=ROUNDS {
        for which in systems.present() {
            eprintln!("round {round} of {ROUNDS}: {which}");
            loads.push(report::load()?);
            for (measure, time) in systems.run(which, names)? {
                results.add(&measure, which, time);
            }
        }
    }
    print!("{}", report::tables(&results));
    if let Some(why) = systems.missing() {
        println!("\nWithout User-Mode Linux: {why}");
    }
    if names.is_empty() && systems::other_kernel().is_none() {
        report::write_page(&results, &loads, systems.missing())?;
    }
    Ok(())
}
