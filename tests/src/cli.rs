//! Commands and what they print. A file is a list of
//!
//! ```text
//! $ linnet ARGUMENTS
//! all that it prints, on standard output and standard error
//! [exit STATUS]
//! ```
//!
//! with comments after `#` before the first command; `[exit 0]` is left out. The commands run in a
//! directory that holds the modules of `cli/*.wat` as `*.wasm`, the first half of `program.wasm` as
//! `truncated.wasm`, a text as `text.wasm`, an empty file `empty.wasm`, the files of `cli/*.toml`, and
//! root file systems `good` and `broken` with `program.wasm` and `truncated.wasm` as their
//! `usr/bin/program`. `vm` is the boot binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use linnet_build::{At as _, Error, Executable, Result};

use crate::machine;
use crate::{Once, Outcome, Test, builder, directory, files, vm};

const LIMIT: Duration = Duration::from_secs(20);

pub(crate) fn tests() -> Result<Vec<Test>> {
    let test = |(name, path): (String, PathBuf)| -> Test {
        (format!("cli::{name}"), Box::new(move || check(&path, place()?)))
    };
    let mut tests: Vec<Test> = files("cli", "txt")?.into_iter().map(test).collect();
    let name = "cli::compile-writes-an-object-to-standard-output".to_owned();
    tests.push((name, Box::new(|| object_on_standard_output(place()?))));
    Ok(tests)
}

/// Where commands run and what they are.
struct Place {
    directory: PathBuf,
    linnet: PathBuf,
}

/// Made by the first test that runs.
fn place() -> Result<&'static Place> {
    static PLACE: OnceLock<Once<Place>> = OnceLock::new();
    PLACE.get_or_init(|| Once::new(prepare())).get()
}

fn prepare() -> Result<Place> {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli");
    fs::create_dir_all(&directory).at(directory.display())?;
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, bytes).at(path.display())
    };
    for (name, path) in files("cli", "wat")? {
        let module = wat::parse_file(&path).at(path.display())?;
        write(&format!("{name}.wasm"), &module)?;
        if name == "wasi" {
            // The first executable says how long its runtime took to compile.
            builder()?.executable(&Executable::new(&path, &module, linnet_build::host()?)?)?;
        }
        if name == "program" {
            let half = &module[..module.len() / 2];
            write("truncated.wasm", half)?;
            for (root, contents) in [("good", module.as_slice()), ("broken", half)] {
                let programs = directory.join(root).join("usr/bin");
                fs::create_dir_all(&programs).at(programs.display())?;
                write(&format!("{root}/usr/bin/program"), contents)?;
            }
        }
    }
    for (name, path) in files("cli", "toml")? {
        write(&format!("{name}.toml"), &fs::read(&path).at(path.display())?)?;
    }
    write("text.wasm", b"This is not a module.\n")?;
    write("empty.wasm", b"")?;
    Ok(Place { directory, linnet: linnet()? })
}

/// The command itself, built like `cargo boot` does.
pub(crate) fn linnet() -> Result<PathBuf> {
    let root = directory().join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(&root).args(["build", "--quiet", "--release", "--package", "linnet"]);
    let status = command.status().at("cargo")?;
    if !status.success() {
        return Err(Error::new(format!("cargo build --package linnet: {status}")));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |target| root.join(target));
    Ok(target.join("release/linnet"))
}

fn check(path: &Path, place: &Place) -> Outcome {
    let wanted = fs::read_to_string(path).at(path.display())?;
    let mut found = String::new();
    let mut in_head = true;
    for line in wanted.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            in_head = false;
            found += &format!("{line}\n{}", transcript(command, place)?);
        } else if in_head {
            found += &format!("{line}\n");
        }
    }
    if found == wanted {
        return Ok(());
    }
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, found).at(path.display())?;
        return Ok(());
    }
    Err(format!("expected:\n{wanted}\nfound:\n{found}").into())
}

fn object_on_standard_output(place: &Place) -> Outcome {
    let compile = |to: &str| {
        let mut command = Command::new(&place.linnet);
        command.args(["compile", "program.wasm", "-o", to]).current_dir(&place.directory);
        command.output().at(place.linnet.display())
    };
    let (printed, quiet) = (compile("-")?, compile("printed.o")?);
    let path = place.directory.join("printed.o");
    let written = fs::read(&path).at(path.display())?;
    if printed.status.success() && printed.stdout == written && quiet.stdout.is_empty() {
        return Ok(());
    }
    Err(format!("{} bytes printed, {} written", printed.stdout.len(), written.len()).into())
}

fn transcript(command: &str, place: &Place) -> Result<String> {
    let mut words = command.split_whitespace();
    let program = match words.next() {
        Some("linnet") => place.linnet.clone(),
        Some("vm") => vm(linnet_build::host()?)?,
        _ => return Err(Error::new(format!("{command:?} is neither linnet nor vm"))),
    };
    let mut command = Command::new(program);
    command.args(words).current_dir(&place.directory).env("LC_ALL", "C");
    let ended = machine::run(&mut command, &[], LIMIT)?;
    let mut text = ended.output;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match ended.status.map(|status| status.code()) {
        Some(Some(0)) => {}
        Some(Some(code)) => text += &format!("[exit {code}]\n"),
        Some(None) => text += "[killed]\n",
        None => text += "[no end]\n",
    }
    Ok(text)
}
