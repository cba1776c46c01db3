//! The programs and files of the build machine that a build needs, and the packages they are in.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use linnet_codegen::Target;

use crate::cache::Cache;
use crate::digest::Key;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::script;

/// A Debian package and what shows that it, or its equal, is there: the name of a program, or the
/// absolute path of a file.
pub(crate) struct Package<'a> {
    name: &'a str,
    evidence: &'a str,
}

pub(crate) const fn package<'a>(name: &'a str, evidence: &'a str) -> Package<'a> {
    Package { name, evidence }
}

/// `wasm-ld` and compiler-rt are what makes a plain clang a compiler for the guest.
const PACKAGES: [Package<'static>; 15] = [
    package("clang-19", "clang-19"),
    package("lld-19", "wasm-ld-19"),
    package("llvm-19", "llvm-ar-19"),
    package(
        "libclang-rt-19-dev-wasm32",
        "/usr/lib/llvm-19/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a",
    ),
    package("gcc", "gcc"),
    package("libc6-dev", "/usr/include/stdio.h"),
    package("make", "make"),
    package("flex", "flex"),
    package("bison", "bison"),
    package("bc", "bc"),
    package("bzip2", "bzip2"),
    package("patch", "patch"),
    package("python3", "python3"),
    package("rsync", "rsync"),
    package("xz-utils", "xz"),
];

/// Programs whose version decides what a build gives.
const COMPILERS: [&str; 3] = ["clang-19", "wasm-ld-19", "llvm-ar-19"];

/// A program in `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

fn missing<'a>(packages: &[Package<'a>]) -> Vec<&'a str> {
    let there = |evidence: &str| match evidence.starts_with('/') {
        true => Path::new(evidence).exists(),
        false => find_program(evidence).is_some(),
    };
    packages.iter().filter(|package| !there(package.evidence)).map(|package| package.name).collect()
}

/// Installs what is missing of what every build needs, or says how to.
pub(crate) fn set_up(progress: &Progress, cache: &Cache) -> Result<()> {
    install(&PACKAGES, progress, cache)
}

/// The emulator that runs programs of another instruction set; installed if it is missing.
pub(crate) fn emulator(target: Target, progress: &Progress, cache: &Cache) -> Result<PathBuf> {
    let program = match target {
        Target::X86_64 => "qemu-x86_64-static",
        Target::Aarch64 => "qemu-aarch64-static",
        Target::Riscv64 => "qemu-riscv64-static",
    };
    install(&[package("qemu-user-static", program)], progress, cache)?;
    find_program(program).ok_or_else(|| Error::new(format!("{program} is not in PATH")))
}

/// The debugger for programs of every instruction set; installed if it is missing.
pub(crate) fn debugger(progress: &Progress, cache: &Cache) -> Result<PathBuf> {
    let program = "gdb-multiarch";
    install(&[package(program, program)], progress, cache)?;
    find_program(program).ok_or_else(|| Error::new(format!("{program} is not in PATH")))
}

/// Installs those that are missing, or says how to.
pub(crate) fn install(wanted: &[Package<'_>], progress: &Progress, cache: &Cache) -> Result<()> {
    // The installer does not wait for another one, and what it has unpacked may not work before it ends.
    let _lock = cache.lock("packages")?;
    let packages = missing(wanted);
    if packages.is_empty() {
        return Ok(());
    }
    let log = &cache.path("logs/packages");
    let list = packages.join(" ");
    let Some(prefix) = privilege() else {
        return Err(Error::new(format!("these packages are not installed: {list}"))
            .hint(format!("run: sudo apt-get update && sudo apt-get install {list}")));
    };
    progress.say(format_args!("installing packages: {list}"));
    let step = progress.step("packages");
    let apt = |arguments: &[&str]| -> Result<()> {
        let mut words = prefix.iter().copied().chain(["apt-get", "--quiet"]);
        // `prefix` or "apt-get" is always the first word.
        let mut command = linnet_process::command(words.next().unwrap_or("apt-get"));
        command.args(words).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        script::run(&mut command, log, &step)
            .map_err(|error| error.hint(format!("install these packages by hand: {list}")))
    };
    apt(&["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&packages);
    apt(&install)?;
    step.done();
    match missing(wanted).as_slice() {
        [] => Ok(()),
        still => Err(Error::new(format!(
            "the packages {} are installed, but what they should hold is not there",
            still.join(" ")
        ))
        .hint("is /usr/bin in PATH?")),
    }
}

/// What to put before a command that only root may run, or nothing if that cannot be had without
/// asking for a password.
fn privilege() -> Option<&'static [&'static str]> {
    if is_root() {
        return Some(&[]);
    }
    find_program("sudo")?;
    let quiet = linnet_process::command("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    quiet.then_some(&["sudo", "-n"])
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Adds the versions of the compilers to a key. A package gives its files fixed times, so size and
/// time tell versions apart, on every machine alike, without running anything.
pub(crate) fn with_compilers(mut key: Key) -> Key {
    use std::os::unix::fs::MetadataExt as _;
    for name in COMPILERS {
        let stamp = find_program(name)
            .and_then(|path| path.metadata().ok())
            .map(|metadata| format!("{} {}", metadata.size(), metadata.mtime()));
        key = key.with(name, stamp.unwrap_or_default());
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_path() {
        assert!(find_program("sh").is_some());
        assert!(find_program("no-such-program-anywhere").is_none());
    }
}
