//! `linnet run`

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use linnet_abi::wasi;
use linnet_build::{At as _, Builder, Error, Executable, Result, host};
use linnet_codegen::{Cpu, is_for_linux};

use super::become_program;
use crate::arguments::{Run, World};

pub(crate) fn run(arguments: &Run) -> Result<()> {
    let module = &arguments.module;
    let wasm = fs::read(module).at(module.display())?;
    if is_for_linux(&wasm) {
        return in_machine(arguments);
    }
    let target = host()?;
    let mut what = Executable::new(module, &wasm, target)?;
    // It runs here and nowhere else.
    what.options.cpu = Cpu::parse(target, "native").at("--cpu")?;
    let program = Builder::without_compilers()?.executable(&what)?;
    let mut command = linnet_process::command(program);
    command.arg0(module).args(&arguments.arguments).env(wasi::VARIABLE, lines(&arguments.words())?);
    Err(become_program(&mut command))
}

/// One option on each line.
fn lines(words: &[OsString]) -> Result<OsString> {
    let mut lines = OsString::new();
    for word in words {
        if word.as_bytes().contains(&b'\n') {
            let word = word.to_string_lossy();
            return Err(Error::new(format!("{word:?}: an option cannot hold a newline")).usage());
        }
        lines.push(word);
        lines.push("\n");
    }
    Ok(lines)
}

/// What the guest's shell does: changes to the directory, and becomes the program. One that its owner may not execute
/// is copied to where nothing is the host's.
const SCRIPT: &str = r#"
cd -- "$1" || exit 126
program=$2
shift 2
if ! [ -x "$program" ]; then
	cp -- "$program" /run/ || exit 126
	program=/run/${program##*/}
	chmod 700 "$program"
fi
exec "$program" "$@"
"#;

/// Variables that tell of this machine and not of the guest.
const OF_HOST: [&str; 9] = [
    "PATH",
    "HOME",
    "SHELL",
    "TMPDIR",
    "PWD",
    "OLDPWD",
    "HOSTNAME",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
];

/// Directories that the guest has itself.
const OF_GUEST: [&str; 10] =
    ["bin", "dev", "etc", "lib", "linnet", "proc", "run", "sbin", "sys", "usr"];

/// A program of Linux: `linnet boot` starts it in this directory, which the machine shares.
fn in_machine(arguments: &Run) -> Result<()> {
    if let Some(option) = arguments.only_for_wasi() {
        return Err(Error::new(format!("{option} is for programs of WASI"))
            .at(arguments.module.display())
            .hint("this is a program of Linux, which runs in a machine: `linnet boot` has options for it")
            .usage());
    }
    let directory = env::current_dir().at(".")?;
    let module = fs::canonicalize(&arguments.module).at(arguments.module.display())?;
    let mut shares = vec![(directory.clone(), in_guest(&directory), "")];
    if !module.starts_with(&directory)
        && let Some(place) = module.parent()
    {
        shares.push((place.to_owned(), in_guest(place), ",ro"));
    }
    for (host, guest) in arguments.world.directories() {
        let host = fs::canonicalize(&host).at(host.display())?;
        let guest = guest.map_or_else(|| in_guest(&host), |guest| in_guest(&directory).join(guest));
        // The program's own directory may be asked for.
        shares.retain(|share| (&share.0, &share.1) != (&host, &guest));
        shares.push((host, guest, ""));
    }
    // A directory is mounted before those that lie in it.
    shares.sort_by(|one, other| one.1.cmp(&other.1));

    let mut command = linnet_process::command(env::current_exe().at("linnet")?);
    command.arg("boot");
    if let Some(memory) = &arguments.memory {
        command.arg("--memory").arg(memory);
    }
    for (host, guest, mode) in shares {
        let mut share = host.into_os_string();
        share.push(":");
        share.push(guest);
        share.push(mode);
        command.arg("--share").arg(share);
    }
    command.args(["--", "env"]).args(environment(&arguments.world));
    command.args(["sh", "-c", SCRIPT, "linnet run"]).arg(in_guest(&directory));
    command.arg(in_guest(&module)).args(&arguments.arguments);
    Err(become_program(&mut command))
}

/// Where the guest has a directory or file of this machine: at the same place, unless that is the guest's own.
fn in_guest(path: &Path) -> PathBuf {
    let first = path.components().nth(1).map(|first| first.as_os_str());
    if first.is_none_or(|first| OF_GUEST.iter().any(|own| first == *own)) {
        Path::new("/mnt").join(path.strip_prefix("/").unwrap_or(path))
    } else {
        path.to_owned()
    }
}

/// Variables for the program, as NAME=VALUE.
fn environment(world: &World) -> Vec<OsString> {
    let is_of_host = |name: &OsString| OF_HOST.iter().any(|own| name == own);
    let variable = |(name, value): (OsString, OsString)| {
        let mut word = name;
        word.push("=");
        word.push(value);
        word
    };
    let mut words: Vec<OsString> =
        env::vars_os().filter(|(name, _)| !is_of_host(name)).map(variable).collect();
    words.extend(world.variables());
    words
}
