//! The runtime's archive, compiled by cargo for the target.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use linnet_codegen::Target;

use crate::builder::Builder;
use crate::digest::{Digest, Key};
use crate::error::{At as _, Error, Result};
use crate::progress::Step;
use crate::script;
use crate::tools::find_program;

const PACKAGE: &str = "linnet-machine";
const ARCHIVE: &str = "liblinnet_machine.a";

/// What decides the runtime's code, relative to the project's root.
const INPUTS: [&str; 2] = ["runtime/abi", "runtime/machine"];
const INPUT_FILES: [&str; 2] = ["Cargo.toml", "Cargo.lock"];

/// Machine code is linked at a fixed address, so that none of it needs a table of addresses.
const FLAGS: [&str; 2] = ["-Crelocation-model=static", "-Cforce-frame-pointers=yes"];

/// Cargo's, in its variable for flags that may hold spaces.
const FLAG_SEPARATOR: &str = "\x1f";

impl Builder {
    pub(crate) fn runtime_key(&self, target: Target) -> Result<Digest> {
        let mut key = Key::new("runtime")
            .with("target", target.name())
            .with("triple", triple(target))
            .with("flags", FLAGS.join(" "))
            .with("compiler", env!("LINNET_RUSTC"));
        for input in INPUTS {
            key = key.with_digest(input, self.index.tree(&self.root.join(input))?);
        }
        for input in INPUT_FILES {
            key = key.with_digest(input, self.index.file(&self.root.join(input))?);
        }
        Ok(key.finish())
    }

    pub(crate) fn runtime_archive(&self, target: Target) -> Result<PathBuf> {
        let key = self.runtime_key(target)?;
        let result = self.cache.get("runtime", key, |out, work| {
            let step = self.progress.step("runtime");
            let triple = triple(target);
            let log = self.cache.path("logs/runtime");
            set_up_target(triple, &log, &step).map_err(|error| error.at("runtime"))?;
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            // The place of the source tree must not show in the result.
            let remap = format!("--remap-path-prefix={}=/linnet", self.root.display());
            let mut flags = FLAGS.join(FLAG_SEPARATOR);
            flags += FLAG_SEPARATOR;
            flags += &remap;
            let mut command = Command::new(cargo);
            command
                .current_dir(&self.root)
                .args(["build", "--release", "--locked", "--package", PACKAGE, "--target", triple])
                .arg("--target-dir")
                .arg(work)
                .env("CARGO_ENCODED_RUSTFLAGS", flags);
            script::run(&mut command, &log, &step).map_err(|error| error.at("runtime"))?;
            let archive = work.join(triple).join("release").join(ARCHIVE);
            fs::copy(&archive, out.join(ARCHIVE)).at(archive.display())?;
            step.done();
            Ok(())
        })?;
        Ok(result.join(ARCHIVE))
    }
}

/// The runtime needs no operating system's library. On x86-64 the target without a system has no
/// floating-point registers; on AArch64 that with one calls a libc for its atomics.
fn triple(target: Target) -> &'static str {
    match target {
        Target::X86_64 => "x86_64-unknown-linux-gnu",
        Target::Aarch64 => "aarch64-unknown-none",
        Target::Riscv64 => "riscv64gc-unknown-none-elf",
    }
}

/// Installs Rust's standard library for `triple`, unless it is there.
fn set_up_target(triple: &str, log: &Path, step: &Step<'_>) -> Result<()> {
    let ask = || {
        let arguments = ["--print", "target-libdir", "--target", triple];
        Command::new("rustc").args(arguments).output().at("rustc")
    };
    let output = ask()?;
    let library = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && library.is_dir() {
        return Ok(());
    }
    if find_program("rustup").is_none() {
        return Err(Error::new(format!("rustc has no library for {triple}")).hint(format!(
            "install Rust with rustup (https://rustup.rs), or the library at {}",
            library.display()
        )));
    }
    let mut command = Command::new("rustup");
    command.args(["target", "add", triple]);
    script::run(&mut command, log, step)
}
