//! The runtime's archive, compiled by cargo for the target.

use std::fs;
use std::path::PathBuf;

use linnet_codegen::Target;

use crate::builder::Builder;
use crate::digest::{Digest, Key};
use crate::error::{At as _, Error, Result};
use crate::script;
use crate::tools::find_program;

/// A part of an executable that is Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    package: &'static str,
    archive: &'static str,
    /// Its directories, besides those that all parts need.
    sources: &'static [&'static str],
    /// Settings of cargo's.
    config: &'static [&'static str],
    /// For hosts, which have a C library and may be loaded anywhere.
    is_hosts: bool,
}

/// CPU, MMU and devices.
pub(crate) const MACHINE: Part = Part {
    package: "linnet-machine",
    archive: "liblinnet_machine.a",
    sources: &[
        "runtime/device",
        "runtime/machine",
        "runtime/net",
        "runtime/share",
        "runtime/virtio",
    ],
    config: &[],
    is_hosts: false,
};

/// The first code of a compressed boot binary.
pub(crate) const UNPACK: Part = Part {
    package: "linnet-unpack",
    archive: "liblinnet_unpack.a",
    sources: &["runtime/unpack"],
    config: &[],
    is_hosts: false,
};

/// Half of a small executable is the runtime, and hardly any of its code is hot.
const SMALL: &[&str] = &[
    "profile.release.opt-level=\"s\"",
    "profile.release.lto=\"fat\"",
    "profile.release.codegen-units=1",
];

/// Not in boot binaries: WASI for one module.
pub(crate) const WASI: Part = Part {
    package: "linnet-wasi",
    archive: "liblinnet_wasi.a",
    sources: &["runtime/embed", "runtime/wasi"],
    config: SMALL,
    is_hosts: false,
};

/// One object, of which linkers leave out what a program does not use.
const WHOLE: &[&str] = &[
    "profile.release.lto=\"fat\"",
    "profile.release.codegen-units=1",
    "profile.release.debug=false",
];

/// Not in boot binaries: the support library of modules for hosts.
pub(crate) const EMBED: Part = Part {
    package: "linnet-embed",
    archive: "liblinnet_embed.a",
    sources: &["runtime/embed"],
    config: WHOLE,
    is_hosts: true,
};

/// Not in boot binaries: runs one module without a kernel, to test frames as data.
const FRAMES_HOST: Part = Part {
    package: "linnet-frames-host",
    archive: "liblinnet_frames_host.a",
    sources: &["runtime/frames"],
    config: &[],
    is_hosts: false,
};

/// What decides the code of every part, relative to the project's root.
const INPUTS: [&str; 5] =
    ["runtime/abi", "runtime/frames", "runtime/host", "runtime/snapshot", "runtime/unwind"];
const INPUT_FILES: [&str; 2] = ["Cargo.toml", "Cargo.lock"];

/// Machine code is linked at a fixed address, so that none of it needs a table of addresses. Debuggers
/// walk through the runtime's frames; without being told, it would not describe them on RISC-V. A panic
/// ends the machine: there is nothing that could unwind.
const FLAGS: [&str; 3] =
    ["-Cforce-frame-pointers=yes", "-Cforce-unwind-tables=yes", "-Cpanic=abort"];

fn flags(part: Part) -> Vec<&'static str> {
    let model = if part.is_hosts { "-Crelocation-model=pic" } else { "-Crelocation-model=static" };
    [&[model], &FLAGS[..]].concat()
}

/// Cargo's, in its variable for flags that may hold spaces.
const FLAG_SEPARATOR: &str = "\x1f";

impl Builder {
    /// The archive that `runtime/frames/host` becomes.
    pub fn frames_host(&self, target: Target) -> Result<PathBuf> {
        self.runtime_archive(FRAMES_HOST, target)
    }

    /// Where Rust's standard library for `triple` is; installed if it is missing.
    pub fn rust_library(&self, triple: &str) -> Result<PathBuf> {
        let ask = || -> Result<Option<PathBuf>> {
            let arguments = ["--print", "target-libdir", "--target", triple];
            let output = linnet_process::command("rustc").args(arguments).output().at("rustc")?;
            let library = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
            Ok(output.status.success().then_some(library))
        };
        // The installer does not wait for another one.
        let _lock = self.cache.lock("rust")?;
        let missing = match ask()? {
            Some(library) if library.is_dir() => return Ok(library),
            missing => missing,
        };
        let error = Error::new(format!("rustc has no library for {triple}"));
        if find_program("rustup").is_none() {
            let place = missing.map_or_else(String::new, |library| {
                format!(", or the library at {}", library.display())
            });
            return Err(error.hint(format!("install Rust with rustup (https://rustup.rs){place}")));
        }
        let step = self.progress.step("rust");
        let mut command = linnet_process::command("rustup");
        command.args(["target", "add", triple]);
        script::run(&mut command, &self.cache.path("logs/rust"), &step)?;
        step.done();
        ask()?.filter(|library| library.is_dir()).ok_or(error)
    }

    pub(crate) fn runtime_key(&self, part: Part, target: Target) -> Result<Digest> {
        let mut key = Key::new("runtime")
            .with("package", part.package)
            .with("target", target.name())
            .with("triple", triple(part, target))
            .with("flags", flags(part).join(" "))
            .with("config", part.config.join(" "))
            .with("compiler", env!("LINNET_RUSTC"));
        for input in INPUTS.iter().chain(part.sources) {
            key = key.with_digest(input, self.index.tree(&self.root.join(input))?);
        }
        for input in INPUT_FILES {
            key = key.with_digest(input, self.index.file(&self.root.join(input))?);
        }
        Ok(key.finish())
    }

    pub(crate) fn runtime_archive(&self, part: Part, target: Target) -> Result<PathBuf> {
        let key = self.runtime_key(part, target)?;
        let result = self.cache.get("runtime", key, |out, work| {
            let triple = triple(part, target);
            self.rust_library(triple).map_err(|error| error.at("runtime"))?;
            let step = self.progress.step("runtime");
            let log = self.cache.path("logs/runtime");
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            // The place of the source tree must not show in the result.
            let remap = format!("--remap-path-prefix={}=/linnet", self.root.display());
            let mut flags = flags(part).join(FLAG_SEPARATOR);
            flags += FLAG_SEPARATOR;
            flags += &remap;
            let mut command = linnet_process::command(cargo);
            command
                .current_dir(&self.root)
                .args(["rustc", "--release", "--locked", "--package", part.package])
                .args(part.config.iter().flat_map(|setting| ["--config", setting]))
                .args(["--target", triple, "--crate-type", "staticlib"])
                .arg("--target-dir")
                .arg(work)
                .env("CARGO_ENCODED_RUSTFLAGS", flags);
            script::run(&mut command, &log, &step).map_err(|error| error.at("runtime"))?;
            let archive = work.join(triple).join("release").join(part.archive);
            fs::copy(&archive, out.join(part.archive)).at(archive.display())?;
            step.done();
            Ok(())
        })?;
        Ok(result.join(part.archive))
    }
}

/// The runtime needs no operating system's library. On x86-64 the target without a system has no
/// floating-point registers, which the machine uses; on AArch64 that with one calls a libc for its
/// atomics.
fn triple(part: Part, target: Target) -> &'static str {
    match target {
        Target::Aarch64 if part.is_hosts => "aarch64-unknown-linux-gnu",
        Target::Riscv64 if part.is_hosts => "riscv64gc-unknown-linux-gnu",
        Target::X86_64 if part == UNPACK => "x86_64-unknown-none",
        Target::X86_64 => "x86_64-unknown-linux-gnu",
        Target::Aarch64 => "aarch64-unknown-none",
        Target::Riscv64 => "riscv64gc-unknown-none-elf",
    }
}
