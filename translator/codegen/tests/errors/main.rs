//! What is said of modules that cannot be translated: each `.wat` file here begins with the error
//! and the hint that are expected, and damaged modules never panic.
//!
//! `BLESS=1` writes the messages that differ into the files.

mod damage;

use libtest_mimic::{Arguments, Failed, Trial};
use linnet_codegen::{Options, Target, translate};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials: Vec<_> = modules("errors")
        .into_iter()
        .map(|file| Trial::test(name(&file), move || run(&file)))
        .collect();
    for file in modules("emitted") {
        let of_file = name(&file);
        let copy = file.clone();
        trials.push(Trial::test(format!("truncated/{of_file}"), move || {
            Ok(damage::truncate(&wat::parse_file(&copy)?)?)
        }));
        trials.push(Trial::test(format!("changed/{of_file}"), move || {
            Ok(damage::change(&wat::parse_file(&file)?)?)
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn modules(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let files = fs::read_dir(folder).expect("the tests' folder").map(|e| e.expect("a file").path());
    let mut files: Vec<_> = files.filter(|f| f.extension().is_some_and(|e| e == "wat")).collect();
    files.sort();
    files
}

fn name(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The expected lines are the comments at the beginning of the file; `;; prefix: kernel` among them
/// translates the module as the kernel is.
fn run(file: &Path) -> Result<(), Failed> {
    let source = fs::read_to_string(file)?;
    let is_expected = |line: &&str| line.starts_with(";; error: ") || line.starts_with(";; hint: ");
    let expected: Vec<&str> = source.lines().filter(is_expected).collect();
    let prefix = source.lines().find_map(|l| l.strip_prefix(";; prefix: ")).unwrap_or("test");
    let wasm = wat::parse_str(&source)?;
    for target in Target::ALL {
        let options = Options { polls: true, ..Options::linux(target, prefix) };
        let Err(error) = translate(&wasm, &options) else {
            return Err("translated without an error".into());
        };
        let mut found = vec![format!(";; error: {error}")];
        found.extend(error.hint_text().map(|hint| format!(";; hint: {hint}")));
        if found != expected {
            if std::env::var_os("BLESS").is_some() {
                let rest = source.lines().filter(|l| !is_expected(l)).map(str::to_owned);
                let lines: Vec<_> = found.iter().cloned().chain(rest).collect();
                fs::write(file, lines.join("\n") + "\n")?;
            }
            let (expected, found) = (expected.join("\n"), found.join("\n"));
            return Err(format!("{}\nexpected\n{expected}\ngot\n{found}", file.display()).into());
        }
    }
    Ok(())
}
