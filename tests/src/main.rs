//! Tests of whole machines and of the command `linnet`.
//!
//! | kind            | where               | a test is                                                |
//! |-----------------|---------------------|----------------------------------------------------------|
//! | `guest`         | `guest/*.c`, `*.sh` | a program of the guest that exits with 0                 |
//! |                 | `programs/*.c`      | not a test, but in the guest for those that need it      |
//! | `few-addresses` | the same            | a test of `guest` where processes share places in memory |
//! | `tiny-tlb`      | some of the same    | the same with hardly any mappings of guest memory        |
//! | `hostile`       | `hostile/*.wat`     | a program that tries to harm others                      |
//! | `hostile-kernel`| `src/player.rs`     | a module in the kernel's place that breaks rules         |
//! | `interactive`   | `interactive/*.txt` | a dialogue with a machine on a terminal                  |
//! | `cli`           | `cli/*.txt`         | a command line and all that it prints                    |
//! | `build`         | `src/build.rs`      | a boot binary built in some way, or a build that stops   |
//! | `disk`          | `src/disk.rs`       | a machine with disks                                     |
//! | `freeze`        | `src/freeze.rs`     | a machine that becomes a file, or goes on from one       |
//! | `frozen`        | `src/frozen.rs`     | a system that is booted where it is built                |
//! | `mutated`       | `src/mutated.rs`    | snapshots that somebody has changed                      |
//! | `freeze-net`    | `src/freeze_net.rs` | machines with a network that are frozen, and go on       |
//! | `rewind`        | `src/rewind.rs`     | machines that keep snapshots, and go back to one         |
//! | `migrate`       | `src/migrate.rs`    | a machine that runs and goes to another one              |
//! | `docs`          | `../docs/src`       | something that all pages of the documentation have       |
//! | `examples`      | `../examples`       | an example and all that it prints                        |
//! | `first-day`     | `src/first_day.rs`  | what a bare machine needs of the two commands            |
//! | `wasi`          | `wasi/*.c`, `*.wat` | a program of WASI that is an executable and exits with 0 |
//! | `sdk`           | `src/sdk.rs`        | a program of a user, built outside of the tree           |
//! | `script`        | `scripts/*.sh`      | a script of the host that starts machines                |
//! | `host`          | `src/host.rs`       | what a machine costs its host, and may do there          |
//! | `oops`          | `src/oops.rs`       | a fault of the kernel itself                             |
//! | `giant`         | `src/giant.rs`      | a function of a shape that nobody writes                 |
//! | `debugger`      | `src/debugger.rs`   | something that the host's debugger shows of a machine    |
//! | `translator`    | `src/translator.rs` | a program that is translated when the guest starts it    |
//! | `promise`       | `src/promise.rs`    | something the documentation promises about speed         |
//!
//! Names of tests of machines of another ISA than this host's begin with the ISA. They run under an
//! emulator.
//!
//! What is missing is built first, in the same way as by `linnet boot`. `skip.toml` lists what is
//! not run. `BLESS=1` writes what the commands print into the files of `cli`. `LINNET_KERNEL=7.3` has
//! the machines of `guest`, `few-addresses`, `hostile`, `interactive`, `packages`, `host`, `oops` and
//! `promise` run that version of Linux. With `6.12-debug` it checks itself, and what it finds fails a test
//! of `guest` and `few-addresses`.

#![forbid(unsafe_code)]

mod build;
mod cli;
mod debugger;
mod disk;
mod docs;
mod examples;
mod first_day;
mod freeze;
mod freeze_net;
mod frozen;
mod giant;
mod guest;
mod host;
mod hostile;
mod interactive;
mod library;
mod machine;
mod migrate;
mod mutated;
mod net;
mod oops;
mod packages;
mod player;
mod promise;
mod pty;
mod rewind;
mod script;
mod sdk;
mod share;
mod signals;
mod translator;
mod wasi;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{env, fs};

use libtest_mimic::{Arguments, Trial};
use linnet_build::{At as _, Builder, Error, Files, KernelVersion, Result, System, Target};

/// What a test says when it fails.
type Outcome = std::result::Result<(), libtest_mimic::Failed>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let Err(error) = signals::reset() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> Result<Vec<Trial>> {
    let host = linnet_build::host()?;
    let mut tests = vec![
        guest::tests_with_few_addresses()?,
        guest::tests_with_tiny_tlb()?,
        cli::tests()?,
        build::tests(),
        docs::tests(),
        examples::tests()?,
        first_day::tests(),
        sdk::tests(),
        host::tests(),
        freeze::tests(),
        frozen::tests(),
        freeze_net::tests(),
        rewind::tests(),
        mutated::tests(),
        migrate::tests(),
        library::tests(),
        promise::tests(),
    ];
    for target in Target::ALL {
        let prefix = if target == host { "" } else { target.name() };
        for kind in [
            guest::tests(target)?,
            hostile::tests(target)?,
            player::tests(target),
            interactive::tests(target)?,
            net::tests(target),
            script::tests(target)?,
            disk::tests(target),
            share::tests(target),
            oops::tests(target),
            debugger::tests(target),
            translator::tests(target),
            packages::tests(target)?,
            wasi::tests(target)?,
            giant::tests(target),
        ] {
            tests.push(
                kind.into_iter().map(|(name, test)| (in_group(prefix, name), test)).collect(),
            );
        }
    }
    let skipped = skipped()?;
    let mut unknown: BTreeSet<&String> = skipped.keys().collect();
    let mut trials = Vec::new();
    for (name, test) in tests.into_iter().flatten() {
        let skip = skipped.contains_key(&name);
        unknown.remove(&name);
        trials.push(Trial::test(name, test).with_ignored_flag(skip));
    }
    // On a host of that ISA its tests have no prefix.
    unknown.retain(|name| !name.starts_with(host.name()));
    match unknown.first() {
        None => Ok(trials),
        Some(name) => Err(Error::new(format!("no test is called {name}")).at("tests/skip.toml")),
    }
}

fn in_group(group: &str, name: String) -> String {
    if group.is_empty() { name } else { format!("{group}::{name}") }
}

type Test = (String, Box<dyn FnOnce() -> Outcome + Send>);

fn skipped() -> Result<BTreeMap<String, String>> {
    let path = directory().join("skip.toml");
    toml::from_str(&fs::read_to_string(&path).at(path.display())?).at(path.display())
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

/// The usual boot binary, built once.
fn vm(target: Target) -> Result<PathBuf> {
    static VMS: [OnceLock<Once<PathBuf>>; Target::ALL.len()] =
        [const { OnceLock::new() }; Target::ALL.len()];
    let vm = &VMS[target as usize];
    vm.get_or_init(|| Once::new(boot_binary(target, Files::default()))).get().cloned()
}

/// The boot binary with the usual root file system and `files`, and with [`kernel_version`].
fn boot_binary(target: Target, files: Files) -> Result<PathBuf> {
    let system = System { kernel: kernel_version()?, ..System::with(files) };
    builder()?.boot_binary_of(target, &system)
}

/// The version of Linux in `LINNET_KERNEL`, or the usual one.
fn kernel_version() -> Result<KernelVersion> {
    match env::var("LINNET_KERNEL") {
        Ok(version) => builder()?.kernel_version(&version),
        Err(_) => Ok(KernelVersion::default()),
    }
}

/// Something that was built for many tests. If that failed, one of them tells why.
struct Once<T> {
    built: std::result::Result<T, Mutex<Option<Error>>>,
}

impl<T> Once<T> {
    fn new(built: Result<T>) -> Self {
        Self { built: built.map_err(|error| Mutex::new(Some(error))) }
    }

    fn get(&self) -> Result<&T> {
        self.built.as_ref().map_err(|error| {
            let error = error.lock().unwrap_or_else(PoisonError::into_inner).take();
            error.unwrap_or_else(|| Error::new("not built, for the reason that another test gives"))
        })
    }
}

/// The directory that holds the tests' files.
fn directory() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files of one folder of tests that end in `extension`, by name.
fn files(folder: &str, extension: &str) -> Result<Vec<(String, PathBuf)>> {
    let folder = directory().join(folder);
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).at(folder.display())? {
        let path = entry.at(folder.display())?.path();
        if path.extension().is_some_and(|found| found == extension)
            && let Some(name) = path.file_stem().and_then(|stem| stem.to_str())
        {
            found.push((name.to_owned(), path));
        }
    }
    found.sort();
    Ok(found)
}
