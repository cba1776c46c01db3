//! Runs other projects' tests of Linux in the guest, and on this machine's own kernel with the same
//! C library and shell: what passes here must pass there.
//!
//! | suite       | what it is                                                              |
//! |-------------|-------------------------------------------------------------------------|
//! | `busybox`   | BusyBox's testsuite, and those of its shells ash and hush               |
//! | `bash`      | bash's own tests                                                        |
//! | `posix`     | the conformance tests of posixtestsuite: signals, threads, timers, IPC  |
//! | `kselftest` | the selftests of the kernel's source, those in `kselftest.txt`          |
//! | `kunit`     | the kernel's own unit tests, all of which should pass                   |
//!
//! `cargo test --release --test suites -- [SUITE...]` needs root, for both sides are root's, and
//! musl-gcc. `differences.toml` lists what need not pass in the guest, each with the reason.

#![forbid(unsafe_code)]

mod bash;
mod busybox;
mod kselftest;
mod kunit;
mod posix;
mod sides;
#[path = "../src/signals.rs"]
mod signals;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use linnet_build::{At as _, Builder, Error, Result};

use crate::sides::Sides;

/// Whether each test passed, by name.
type Results = BTreeMap<String, bool>;

/// Most tests sleep most of the time.
const AT_A_TIME: usize = 4;

/// What came out on both sides.
struct Outcome {
    /// On this machine, or as it should be.
    expected: Results,
    guest: Results,
}

impl FromIterator<(Results, Results)> for Outcome {
    fn from_iter<T: IntoIterator<Item = (Results, Results)>>(parts: T) -> Self {
        let (expected, guest): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        let together = |parts: Vec<Results>| parts.into_iter().flatten().collect();
        Self { expected: together(expected), guest: together(guest) }
    }
}

type Suite = fn(&Builder, &Sides) -> Result<Outcome>;

const SUITES: [(&str, Suite); 5] = [
    ("busybox", busybox::run),
    ("bash", bash::run),
    ("posix", posix::run),
    ("kselftest", kselftest::run),
    ("kunit", kunit::run),
];

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Is true if nothing differs that should not.
fn run() -> Result<bool> {
    signals::reset()?;
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if let Some(name) = wanted.iter().find(|name| SUITES.iter().all(|(known, _)| known != name)) {
        return Err(Error::new(format!("no suite is called {name}"))
            .hint(format!("there are {}", SUITES.map(|(name, _)| name).join(", "))));
    }
    let known = differences()?;
    let builder = Builder::new()?;
    let sides = Sides::new(&builder)?;
    let mut good = true;
    for (name, suite) in SUITES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            let empty = BTreeMap::new();
            good &= report(name, &suite(&builder, &sides)?, known.get(name).unwrap_or(&empty));
        }
    }
    println!("What the tests printed is in {}.", sides.logs().display());
    Ok(good)
}

/// Tests that need not pass in the guest, by suite, each with the reason.
fn differences() -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let path = directory().join("differences.toml");
    toml::from_str(&fs::read_to_string(&path).at(path.display())?).at(path.display())
}

fn report(suite: &str, outcome: &Outcome, known: &BTreeMap<String, String>) -> bool {
    let passed = |results: &Results| results.values().filter(|passed| **passed).count();
    println!(
        "{suite}: {} tests; {} should pass, {} passed in the guest",
        outcome
            .expected
            .keys()
            .chain(outcome.guest.keys())
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        passed(&outcome.expected),
        passed(&outcome.guest),
    );
    let mut good = true;
    for (test, _) in outcome.expected.iter().filter(|(_, passed)| **passed) {
        if outcome.guest.get(test) == Some(&true) {
            continue;
        }
        match reason(known, test) {
            Some(reason) => println!("  known: {test}: {reason}"),
            None => {
                println!("  FAILED in the guest: {test}");
                good = false;
            }
        }
    }
    good
}

/// Why a test need not pass. A name that ends in `*` stands for all that begin so.
fn reason<'a>(known: &'a BTreeMap<String, String>, test: &str) -> Option<&'a str> {
    let names = |name: &str| match name.strip_suffix('*') {
        Some(start) => test.starts_with(start),
        None => test == name,
    };
    known.iter().find(|(name, _)| names(name)).map(|(_, reason)| reason.as_str())
}

/// The directory that holds the suites' files.
fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/suites"))
}

/// Reads lines `PASS: NAME` and `FAIL: NAME`. A name that comes again gets a number.
fn read(output: &str) -> Results {
    let mut results = Results::new();
    for line in output.lines() {
        let (name, passed) = match (line.strip_prefix("PASS: "), line.strip_prefix("FAIL: ")) {
            (Some(name), _) => (name, true),
            (_, Some(name)) => (name, false),
            _ => continue,
        };
        let mut unique = name.to_owned();
        let mut number = 1;
        while results.contains_key(&unique) {
            number += 1;
            unique = format!("{name} ({number})");
        }
        results.insert(unique, passed);
    }
    results
}

/// Runs a program of this machine, whose messages are the cause if it fails.
fn run_to_end(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().at(&name)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::new(String::from_utf8_lossy(&output.stderr).trim_end()).at(name))
}

/// The results in the order of `items`.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(item) = items.get(number)
                {
                    let result = work(item);
                    done.lock().unwrap_or_else(|e| e.into_inner()).insert(number, result);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(|e| e.into_inner()).into_values().collect()
}
