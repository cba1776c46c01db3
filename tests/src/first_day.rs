//! What makes the two commands of the README work on a bare machine, and take no longer than they must.
//! `tests/bare.sh` runs them on one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use linnet_build::{At as _, Error, Result};

use crate::{Test, directory};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        (
            "first-day::the-tests-compile-the-translator-with-the-same-features".into(),
            Box::new(|| Ok(same_features()?)),
        ),
        (
            "first-day::tools-are-installed-in-one-place".into(),
            Box::new(|| Ok(one_installer(directory())?)),
        ),
    ]
}

/// Cargo compiles a crate once for each set of features. The tests need crates that the command
/// `linnet` does not, and must ask for nothing of the ones that it has.
fn same_features() -> Result<()> {
    let command = features(&["--package", "linnet", "--edges", "normal,build"])?;
    let tests = features(&["--edges", "normal,build,dev"])?;
    for (crate_, features) in &command {
        let among_tests = tests.get(crate_).ok_or_else(|| Error::new(format!("no {crate_}")))?;
        if among_tests != features {
            let what = format!("{crate_}: {features:?} for linnet, {among_tests:?} for the tests");
            return Err(Error::new(what)
                .hint("let translator/build/Cargo.toml ask for the features of the tests"));
        }
    }
    if command.len() > 50 { Ok(()) } else { Err(Error::new("`cargo tree` shows no crates")) }
}

/// The features of each crate that Cargo would compile for these arguments.
fn features(arguments: &[&str]) -> Result<BTreeMap<String, String>> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "--prefix", "none", "--format", "{p}\t{f}"])
        .args(arguments)
        .current_dir(directory().join(".."))
        .output()
        .at("cargo")?;
    if !output.status.success() {
        return Err(Error::new(String::from_utf8_lossy(&output.stderr)).at("cargo tree"));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text.lines().filter_map(|line| line.split_once('\t'));
    Ok(rows.map(|(name, features)| (name.to_owned(), features.replace(" (*)", ""))).collect())
}

/// A program that one test installs is half there when another one looks, so that all leave it to
/// `linnet_build::Builder`, which lets one install at a time.
fn one_installer(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).at(directory.display())? {
        let path = entry.at(directory.display())?.path();
        if path.is_dir() {
            one_installer(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).at(path.display())?;
            for program in ["apt-get", "rustup", "qemu-", "gdb"] {
                if text.contains(&format!("Command::new(\"{program}"))
                    || text.contains(&format!("Command::new(format!(\"{program}"))
                {
                    return Err(Error::new(format!("starts {program} by itself"))
                        .at(path.display())
                        .hint(
                            "Builder::tool, emulator, debugger and rust_library install it first",
                        ));
                }
            }
        }
    }
    Ok(())
}
