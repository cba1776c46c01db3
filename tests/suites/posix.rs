//! The conformance tests of posixtestsuite, interface by interface, each in a machine of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use linnet_build::{At as _, Builder, Error, Files, Result, host};

use crate::sides::{Side, Sides};
use crate::{Outcome, Results, directory, in_parallel, read, run_to_end};

/// Where the suite lies in the guest: its scripts expect to be run from there.
const PLACE: &str = "posix";
const INTERFACES: &str = "conformance/interfaces";
const SCRIPT: &str = "suite/posix.sh";

const FLAGS: [&str; 9] = [
    "-std=gnu99",
    "-O2",
    "-w",
    "-Wno-int-conversion",
    "-pthread",
    "-D_GNU_SOURCE",
    "-D_POSIX_C_SOURCE=200112L",
    "-D_XOPEN_SOURCE=600",
    "-Iinclude",
];

/// Programs that share a boot binary.
const PER_BINARY: usize = 200;

/// Many tests expect that something takes longer than something else. What fails in the guest alone
/// is run again so many times, and passes if it passes once.
const AGAIN: usize = 4;

/// The tests of one interface.
#[derive(Default)]
struct Interface {
    /// Places in the root file system, and what lies there.
    files: Vec<(String, PathBuf)>,
    /// Those that run; the others are for scripts.
    tests: Vec<String>,
}

pub(crate) fn run(builder: &Builder, sides: &Sides) -> Result<Outcome> {
    let source = unpack(builder, sides)?;
    let script = directory().join("posix.sh");
    sides.place_script(SCRIPT, &script)?;
    let interfaces = compile(builder, sides, &source)?;

    let mut binaries = Vec::new();
    let mut jobs = Vec::new();
    let mut contents = vec![(SCRIPT.to_owned(), script)];
    for (number, (name, interface)) in interfaces.iter().enumerate() {
        contents.extend(interface.files.iter().cloned());
        jobs.push((name, interface, binaries.len()));
        if contents.len() >= PER_BINARY || number + 1 == interfaces.len() {
            let mut files = Files::default();
            for (place, file) in &contents {
                files.add(place, file)?;
            }
            binaries.push(builder.boot_binary(host()?, &files)?);
            contents.truncate(1);
        }
    }

    let outcomes = in_parallel(&jobs, |(name, interface, binary)| {
        let binary = binaries.get(*binary).ok_or_else(|| Error::new("no binary"))?;
        both(sides, name, binary, &interface.tests)
    })?;
    Ok(outcomes.into_iter().collect())
}

fn unpack(builder: &Builder, sides: &Sides) -> Result<PathBuf> {
    let source = sides.work("posixtestsuite");
    if !source.exists() {
        fs::create_dir_all(&source).at(source.display())?;
        let archive = builder.source_file("posixtestsuite")?;
        let mut tar = Command::new("tar");
        run_to_end(tar.arg("xf").arg(&archive).args(["--strip-components=1", "-C"]).arg(&source))?;
    }
    Ok(source)
}

/// Compiles every test for both sides. What this C library lacks is in neither.
fn compile(builder: &Builder, sides: &Sides, source: &Path) -> Result<BTreeMap<String, Interface>> {
    let sdk = builder.sdk()?;
    let programs = sides.work(&format!("posix-{:.16}", sdk.digest().to_string()));
    let mut names = Vec::new();
    list(source, Path::new(INTERFACES), &mut names)?;
    names.sort();
    let compiled = in_parallel(&names, |name| {
        let path = format!("{PLACE}/{name}");
        if name.ends_with(".sh") {
            let file = source.join(name);
            sides.place_script(&path, &file)?;
            return Ok(Some((path, file)));
        }
        let program = path.replace(".c", ".test");
        let wasm = programs.join(name).with_extension("wasm");
        fs::create_dir_all(wasm.parent().unwrap_or(&programs)).at(wasm.display())?;
        let native = sides.native_file(&program)?;
        let said = sides.compile(&sdk, &native, &wasm, |compiler, _| {
            compiler.args(FLAGS).arg("-include").arg(directory().join("prelude.h"));
            compiler.arg(name).current_dir(source);
        })?;
        if let Some(said) = said {
            let log = sides.logs().join(name.replace('/', "-"));
            fs::write(&log, said).at(log.display())?;
            return Ok(None);
        }
        Ok(Some((program, wasm)))
    })?;

    let mut interfaces = BTreeMap::<String, Interface>::new();
    for (place, file) in compiled.into_iter().flatten() {
        let test = place.trim_start_matches(PLACE).trim_start_matches('/').to_owned();
        let interface = test.trim_start_matches(INTERFACES).split('/').nth(1).unwrap_or_default();
        let interface = interfaces.entry(interface.to_owned()).or_default();
        if !test.contains("buildonly") {
            interface.tests.push(test);
        }
        interface.files.push((place, file));
    }
    Ok(interfaces)
}

/// Tests are called NUMBER-*.c or NUMBER-NUMBER.sh.
fn list(source: &Path, folder: &Path, names: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(source.join(folder)).at(folder.display())? {
        let entry = entry.at(folder.display())?;
        let path = folder.join(entry.file_name());
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().at(path.display())?.is_dir() {
            list(source, &path, names)?;
        } else if let Some((number, rest)) = name.split_once('-')
            && number.starts_with(|first: char| first.is_ascii_digit())
            && (rest.ends_with(".c")
                || rest.ends_with(".sh") && rest.starts_with(|first: char| first.is_ascii_digit()))
        {
            names.push(path.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

/// Runs tests of one interface on both sides.
fn both(sides: &Sides, name: &str, binary: &Path, tests: &[String]) -> Result<(Results, Results)> {
    let run = |name: &str, side, tests: &[String]| {
        Ok(read(&sides.run_script(name, side, SCRIPT, (tests.join("\n") + "\n").as_bytes())?))
    };
    let native: Results = run(&format!("posix-{name}"), Side::Native, tests)?;
    let mut guest = Results::new();
    let mut left = tests.to_vec();
    for time in 0..=AGAIN {
        if left.is_empty() {
            break;
        }
        guest.extend(run(&format!("posix-{name}-{time}"), Side::Guest(binary), &left)?);
        left.retain(|test| native.get(test) == Some(&true) && guest.get(test) != Some(&true));
    }
    Ok((native, guest))
}
