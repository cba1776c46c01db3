//! What the machine code looks like: each `.wat` file here is translated for every target, and the
//! code in the object is compared with the expectations in the file. See [`expectation`].
//!
//! `BLESS=1` writes the disassemblies that differ into the files.

mod access;
mod disassembly;
mod expectation;

use expectation::{Expectation, Outcome, Test};
use libtest_mimic::{Arguments, Failed, Trial};
use linnet_codegen::{Options, Target, translate};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emitted");
    let files =
        fs::read_dir(&folder).expect("the tests' folder").map(|e| e.expect("a file").path());
    let mut files: Vec<_> = files.filter(|f| f.extension().is_some_and(|e| e == "wat")).collect();
    files.sort();
    let trials = files.into_iter().map(|file| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Trial::test(name, move || run(&file))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

fn run(file: &Path) -> Result<(), Failed> {
    let source = fs::read_to_string(file)?;
    let test = Test::parse(&source)?;
    let wasm = wat::parse_str(&source)?;
    let mut failures = String::new();
    let mut blessings = Vec::new();
    for target in Target::ALL {
        let (polls, frames) = (test.polls, test.frames);
        let options = Options { polls, frames, ..Options::linux(target, "test") };
        let object = translate(&wasm, &options)?;
        let functions = disassembly::functions(target, &object.bytes);
        for expectation in test.expectations.iter().filter(|e| e.targets.contains(&target)) {
            let Some(function) = functions.iter().find(|f| f.name == expectation.function) else {
                return Err(format!("no function {} in the object", expectation.function).into());
            };
            let code = function.text().join("\n");
            match expectation.check(target, function) {
                Outcome::Holds => {}
                Outcome::Fails(found) => {
                    failures += &failure(file, target, expectation, &format!("{found}\n{code}"))
                }
                Outcome::Differs(blessing) => {
                    failures += &failure(file, target, expectation, &format!("\n{code}"));
                    blessings.push(blessing);
                }
            }
        }
    }
    if std::env::var_os("BLESS").is_some() && !blessings.is_empty() {
        fs::write(file, expectation::bless(&source, blessings))?;
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
}

fn failure(file: &Path, target: Target, expectation: &Expectation, found: &str) -> String {
    let mut text = String::new();
    let _ =
        writeln!(text, "{}: function {}, {}", file.display(), expectation.function, target.name());
    let _ = writeln!(text, "expected {}", expectation.text);
    let _ = writeln!(text, "got {found}");
    text
}
