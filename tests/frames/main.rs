//! Frames as data: programs that are captured at some point and go on elsewhere do what they do when
//! nobody interrupts them.
//!
//! A test is a program: one of `programs/*.wat`, or a random one (`generate.rs`). It is translated for
//! every instruction set and linked with `runtime/frames/host`; those of other ISAs run under an emulator.
//! At some events, each ISA takes a snapshot and goes on; all must write the same bytes. Then each ISA
//! goes on with that snapshot, takes the next one on its way, and comes to the same end. As the snapshots
//! are the same, that is every ordered pair of ISAs.
//!
//! `LINNET_FRAMES_SEEDS=FIRST..LAST` runs the random programs of these seeds instead of the usual ones.

#![forbid(unsafe_code)]

mod generate;

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

use generate::Random;
use libtest_mimic::{Arguments, Trial};
use linnet_build::{At as _, Builder, Error, Result, Target, host};
use linnet_codegen::Options;

/// Seeds of the random programs.
const SEEDS: Range<u64> = 0..24;

/// Snapshots of a random program.
const SNAPSHOTS: usize = 4;

/// Records that are damaged and looked at, for each program.
const DAMAGED: u32 = 20_000;

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
    let mut trials = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("frames/programs");
    for entry in fs::read_dir(&folder).at(folder.display())? {
        let path = entry.at(folder.display())?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        trials.push(Trial::test(name.clone(), move || {
            let text = fs::read(&path)?;
            let wasm = wat::parse_bytes(&text)?.into_owned();
            Ok(check(&name, &wasm, |events| (1..=events).collect())?)
        }));
    }
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    for seed in seeds()? {
        let (vectors, tail_calls) = (seed % 4 == 3, seed % 3 == 1);
        let name = format!("random::{seed}");
        let wasm = generate::program(seed, vectors, tail_calls);
        trials.push(Trial::test(name.clone(), move || {
            let mut random = Random::new(!seed);
            let choose = |events: usize| {
                let mut chosen: Vec<_> = (0..SNAPSHOTS).map(|_| 1 + random.below(events)).collect();
                chosen.sort_unstable();
                chosen.dedup();
                chosen
            };
            Ok(check(&name.replace("::", "-"), &wasm, choose)?)
        }));
    }
    Ok(trials)
}

fn seeds() -> Result<Range<u64>> {
    let Ok(text) = std::env::var("LINNET_FRAMES_SEEDS") else { return Ok(SEEDS) };
    let range = text
        .split_once("..")
        .and_then(|(first, last)| Some(first.parse().ok()?..last.parse().ok()?));
    range.ok_or_else(|| Error::new("expected FIRST..LAST").at("LINNET_FRAMES_SEEDS"))
}

/// What running a program takes.
struct Tools {
    builder: Builder,
    /// Archive of the host and the emulator, if one is needed, by target.
    hosts: Vec<(PathBuf, Option<PathBuf>)>,
}

fn tools() -> Result<&'static Tools> {
    static TOOLS: OnceLock<std::result::Result<Tools, String>> = OnceLock::new();
    let make = || -> Result<Tools> {
        let builder = Builder::new()?;
        let own = host()?;
        let hosts = Target::ALL.map(|target| -> Result<_> {
            let emulator = (target != own).then(|| builder.emulator(target)).transpose()?;
            Ok((builder.frames_host(target)?, emulator))
        });
        let hosts = hosts.into_iter().collect::<Result<_>>()?;
        Ok(Tools { builder, hosts })
    };
    let tools = TOOLS.get_or_init(|| make().map_err(|error| error.to_string()));
    tools.as_ref().map_err(Error::new)
}

/// A program for one ISA.
struct Binary {
    target: Target,
    file: PathBuf,
}

impl Binary {
    fn new(wasm: &[u8], target: Target, file: PathBuf) -> Result<Binary> {
        let options = Options { frames: true, ..Options::linux(target, "guest") };
        let object = linnet_codegen::translate(wasm, &options)
            .map_err(|cause| linnet_build::translate::error(&file, &cause))?;
        let object_file = file.with_extension("o");
        fs::write(&object_file, object.bytes).at(object_file.display())?;
        let tools = tools()?;
        tools.builder.link(&file, &object_file, &tools.hosts[target as usize].0)?;
        Ok(Binary { target, file })
    }

    /// What it prints.
    fn run(&self, arguments: &[String]) -> Result<String> {
        let emulator = &tools()?.hosts[self.target as usize].1;
        let mut command = match emulator {
            Some(emulator) => Command::new(emulator),
            None => Command::new(&self.file),
        };
        if emulator.is_some() {
            command.arg(&self.file);
        }
        let output = command.args(arguments).output().at(self.file.display())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let status = output.status;
            return Err(Error::new(format!("{status}: {said}{}", arguments.join(" ")))
                .at(self.file.display()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

fn same<T: PartialEq>(a: &T, b: &T, what: impl FnOnce() -> String) -> Result<()> {
    if a == b { Ok(()) } else { Err(Error::new(what())) }
}

/// Interrupts the program at the events that `choose` takes of so many.
fn check(name: &str, wasm: &[u8], choose: impl FnOnce(usize) -> Vec<usize>) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("linnet-frames-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).at(folder.display())?;
    let place = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let binaries = Target::ALL
        .iter()
        .map(|target| Binary::new(wasm, *target, folder.join(target.name())))
        .collect::<Result<Vec<_>>>()?;
    let first = binaries.first().ok_or_else(|| Error::new("no targets"))?;
    let expected = first.run(&["run".to_owned()])?;
    let events = expected.split_whitespace().last().and_then(|n| n.parse().ok()).unwrap_or(0);
    same(&(events > 0), &true, || format!("no events in {expected:?}"))?;
    let events = choose(events);

    // So many at a time as the host has room for.
    for events in events.chunks(15) {
        let mut snapshots: Vec<Vec<u8>> = Vec::new();
        for Binary { target, .. } in &binaries {
            let binary = binaries.iter().find(|b| b.target == *target).unwrap_or(first);
            let mut arguments = vec!["run".to_owned()];
            for event in events {
                let file = place(&format!("{}.{event}", target.name()));
                arguments.extend(["at".to_owned(), event.to_string(), file]);
            }
            let ended = binary.run(&arguments)?;
            same(&ended, &expected, || {
                format!("captured on {}: {ended}expected {expected}", target.name())
            })?;
            let taken = events.iter().map(|event| {
                let file = place(&format!("{}.{event}", target.name()));
                fs::read(&file).at(file)
            });
            let taken = taken.collect::<Result<Vec<_>>>()?;
            if snapshots.is_empty() {
                snapshots = taken;
            } else {
                same(&taken, &snapshots, || {
                    format!("{} writes other snapshots than {}", target.name(), first.target.name())
                })?;
            }
        }
        for binary in &binaries {
            for (i, event) in events.iter().enumerate() {
                let target = binary.target.name();
                let file = place(&format!("{}.{event}", first.target.name()));
                let mut arguments = vec!["resume".to_owned(), file];
                let next = events.get(i + 1);
                let again = place(&format!("{target}.again"));
                if let Some(next) = next {
                    arguments.extend(["at".to_owned(), next.to_string(), again.clone()]);
                }
                let ended = binary.run(&arguments)?;
                same(&ended, &expected, || {
                    format!("resumed at {event} on {target}: {ended}expected {expected}")
                })?;
                if next.is_some() {
                    let taken = fs::read(&again).at(again)?;
                    same(&taken, &snapshots[i + 1], || {
                        format!("{target} went on at {event} and writes another snapshot")
                    })?;
                }
            }
        }
    }
    if let Some(event) = events.last() {
        let file = place(&format!("{}.{event}", first.target.name()));
        first.run(&["damage".to_owned(), file, DAMAGED.to_string()])?;
    }
    fs::remove_dir_all(&folder).at(folder.display())
}
