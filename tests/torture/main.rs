//! GCC's C torture tests: some 1,600 programs that test compilers. They are compiled with the guest's
//! compiler, translated, and run in the guest; each is a test called `LEVEL::NAME`, with the ISA in
//! front if it is not this machine's.
//!
//! `cargo test --release --test torture -- [FILTER...]` runs them. Hundreds share a boot binary, which
//! runs one after the other: the first test that needs it boots it. `ignored.toml` lists what is not
//! run, each with the reason.

#![forbid(unsafe_code)]

#[path = "../src/machine.rs"]
mod machine;
#[path = "../src/signals.rs"]
mod signals;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use linnet_build::{At as _, Builder, Error, Files, Result, Target, host};

use crate::source::Source;

/// Programs that share a boot binary.
const PER_BINARY: usize = 400;

/// For all of them together.
const LIMIT: Duration = Duration::from_secs(600);

/// How the programs are compiled. The first leaves most to the translator; the second is what users
/// want, and tells it the lines.
const LEVELS: [Level; 2] =
    [Level { name: "O0", options: &["-O0"] }, Level { name: "O2", options: &["-O2", "-g"] }];

#[derive(Clone, Copy)]
struct Level {
    name: &'static str,
    options: &'static [&'static str],
}

/// Runs the programs of a batch in the guest.
const SCRIPT: &str = "torture.sh";

/// Where the programs lie in the guest.
const PLACE: &str = "torture";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> Result<Vec<Trial>> {
    signals::reset()?;
    let host = host()?;
    let sources = source::list(builder()?)?;
    let ignored = ignored(&sources)?;
    let mut trials = Vec::new();
    for target in Target::ALL {
        for level in LEVELS {
            let name = level.name;
            let group =
                if target == host { name.into() } else { format!("{}::{name}", target.name()) };
            let (skipped, tests): (Vec<_>, Vec<_>) = sources.iter().cloned().partition(|source| {
                let name = &source.name;
                ignored.contains(name) || ignored.contains(&format!("{}::{name}", level.name))
            });
            let mut batches = Vec::new();
            for batch in tests.chunks(PER_BINARY) {
                batches.push((Batch::new(target, level, batch.to_vec()), false));
            }
            let single = skipped.into_iter().map(|source| Batch::new(target, level, vec![source]));
            batches.extend(single.map(|batch| (batch, true)));
            for (batch, ignored) in batches {
                for (number, source) in batch.sources.iter().enumerate() {
                    let of = Arc::clone(&batch);
                    let name = format!("{group}::{}", source.name);
                    let trial = Trial::test(name, move || of.outcome(number));
                    trials.push(trial.with_ignored_flag(ignored));
                }
            }
        }
    }
    Ok(trials)
}

/// Names of the tests that are not run.
fn ignored(sources: &[Source]) -> Result<BTreeSet<String>> {
    let path = directory().join("ignored.toml");
    let text = fs::read_to_string(&path).at(path.display())?;
    let reasons: BTreeMap<String, Vec<String>> = toml::from_str(&text).at(path.display())?;
    let names: BTreeSet<String> = reasons.into_values().flatten().collect();
    let known = |name: &str| {
        let name = name.rsplit("::").next();
        sources.iter().any(|source| Some(source.name.as_str()) == name)
    };
    let unknown = names.iter().find(|name| !known(name));
    match unknown {
        None => Ok(names),
        Some(name) => Err(Error::new(format!("no test is called {name}")).at(path.display())),
    }
}

/// Builds for all tests.
fn builder() -> Result<&'static Builder> {
    static BUILDER: Mutex<Option<&Builder>> = Mutex::new(None);
    let mut builder = BUILDER.lock().unwrap_or_else(PoisonError::into_inner);
    match *builder {
        Some(builder) => Ok(builder),
        None => Ok(*builder.insert(Box::leak(Box::new(Builder::new()?)))),
    }
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/torture"))
}

/// What became of each program: why it failed, if it did.
type Outcomes = Vec<std::result::Result<(), String>>;

/// Programs that share a boot binary.
struct Batch {
    target: Target,
    level: Level,
    sources: Vec<Source>,
    outcomes: OnceLock<std::result::Result<Outcomes, String>>,
}

impl Batch {
    fn new(target: Target, level: Level, sources: Vec<Source>) -> Arc<Self> {
        Arc::new(Self { target, level, sources, outcomes: OnceLock::new() })
    }

    fn outcome(&self, number: usize) -> std::result::Result<(), Failed> {
        let outcomes = self.outcomes.get_or_init(|| self.run().map_err(|error| error.to_string()));
        let outcomes = outcomes.as_ref().map_err(Failed::from)?;
        outcomes[number].clone().map_err(Failed::from)
    }

    /// Builds and boots the binary. A program that does not come so far is missing in it.
    fn run(&self) -> Result<Outcomes> {
        let builder = builder()?;
        let programs = self.programs(builder)?;
        let mut files = Files::default();
        files.add(SCRIPT, &directory().join("run.sh"))?;
        for (source, program) in self.sources.iter().zip(&programs) {
            if let Ok(program) = program {
                files.add(&format!("{PLACE}/{}", source.name), program)?;
            }
        }
        let binary = builder.boot_binary(self.target, &files)?;
        let mut command = machine::command(self.target, &binary)?;
        command.args(["--", "sh", &format!("/{SCRIPT}")]);
        let ended = machine::run(&mut command, &[], machine::limit(self.target, LIMIT))?;

        let lines = ended.output.lines().filter_map(|line| line.strip_prefix("ended: "));
        let statuses: BTreeMap<&str, &str> =
            lines.filter_map(|line| line.split_once(' ')).collect();
        let outcomes = self.sources.iter().zip(programs).map(|(source, program)| {
            program?;
            match statuses.get(source.name.as_str()) {
                Some(&"0") => Ok(()),
                Some(status) => Err(format!("exit status {status}")),
                None => Err(format!("never ended: {:?}\n{}", ended.status, ended.output)),
            }
        });
        Ok(outcomes.collect())
    }

    /// Compiles and translates each program, or tells why it cannot be.
    fn programs(&self, builder: &Builder) -> Result<Vec<std::result::Result<PathBuf, String>>> {
        let sdk = builder.sdk()?;
        let place =
            builder.cache_path("suites").join(format!("torture-{:.16}", sdk.digest().to_string()));
        let place = place.join(self.level.options.concat());
        fs::create_dir_all(&place).at(place.display())?;
        let make = |source: &Source| -> std::result::Result<PathBuf, String> {
            let program = place.join(&source.name).with_extension("wasm");
            if !program.exists() {
                source.compile(&sdk, self.level.options, &program)?;
            }
            builder.translate_program(&program, self.target).map_err(|error| error.to_string())?;
            Ok(program)
        };
        // One thread of several would take a boot binary's time while the others wait for it.
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let shares: Vec<&[Source]> =
            self.sources.chunks(self.sources.len().div_ceil(threads).max(1)).collect();
        Ok(thread::scope(|scope| {
            let threads: Vec<_> = shares
                .into_iter()
                .map(|share| scope.spawn(|| share.iter().map(make).collect::<Vec<_>>()))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| match thread.join() {
                    Ok(results) => results,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        }))
    }
}
