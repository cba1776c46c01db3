//! The runtime's archive, compiled by cargo for the target.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use linnet_codegen::Target;

use crate::builder::Builder;
use crate::digest::{Digest, Key};
use crate::error::{At as _, Result};
use crate::script;

const PACKAGE: &str = "linnet-machine";
const ARCHIVE: &str = "liblinnet_machine.a";

/// What decides the runtime's code, relative to the project's root.
const INPUTS: [&str; 2] = ["runtime/abi", "runtime/machine"];
const INPUT_FILES: [&str; 2] = ["Cargo.toml", "Cargo.lock"];

/// Machine code is linked at a fixed address, so that none of it needs a table of addresses.
const FLAGS: &str = "-Crelocation-model=static -Cforce-frame-pointers=yes";

impl Builder {
    pub(crate) fn runtime_key(&self, target: Target) -> Result<Digest> {
        let mut key = Key::new("runtime")
            .with("target", target.name())
            .with("flags", FLAGS)
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
        let result = self.cache.get("runtime", key, |out, _| {
            let step = self.progress.step("runtime");
            let triple = triple(target);
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let directory = self.cache.path("cargo");
            let mut command = Command::new(cargo);
            command
                .current_dir(&self.root)
                .args(["build", "--release", "--locked", "--package", PACKAGE, "--target", triple])
                .arg("--target-dir")
                .arg(&directory)
                .env("RUSTFLAGS", FLAGS)
                .env_remove("CARGO_ENCODED_RUSTFLAGS");
            script::run(&mut command, &self.cache.path("logs/runtime"), &step)
                .map_err(|error| error.at("runtime"))?;
            let archive = directory.join(triple).join("release").join(ARCHIVE);
            fs::copy(&archive, out.join(ARCHIVE)).at(archive.display())?;
            step.done();
            Ok(())
        })?;
        Ok(result.join(ARCHIVE))
    }
}

/// The runtime needs no operating system's library, so that any target of the right instruction
/// set will do; this one is there on a machine of that kind.
fn triple(target: Target) -> &'static str {
    match target {
        Target::X86_64 => "x86_64-unknown-linux-gnu",
        Target::Aarch64 => "aarch64-unknown-linux-gnu",
        Target::Riscv64 => "riscv64gc-unknown-linux-gnu",
    }
}
