//! `linnet run`

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;

use linnet_abi::wasi;
use linnet_build::{At as _, Builder, Error, Executable, Result, host};
use linnet_codegen::{Cpu, is_for_linux};

use super::become_program;
use crate::arguments::Run;

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

/// A program of Linux: `linnet boot` does it.
fn in_machine(arguments: &Run) -> Result<()> {
    let mut words = arguments.words();
    words.retain(|word| !word.as_bytes().starts_with(b"--memory="));
    if let Some(word) = words.first() {
        let option = word.to_string_lossy();
        let option = option.split('=').next().unwrap_or_default();
        return Err(Error::new(format!("{option} is for programs of WASI"))
            .at(arguments.module.display())
            .hint("this is a program of Linux, which runs in a machine: `linnet boot` has options for it")
            .usage());
    }
    let mut command = linnet_process::command(env::current_exe().at("linnet")?);
    command.arg("boot");
    if let Some(memory) = &arguments.memory {
        command.arg("--memory").arg(memory);
    }
    let name = arguments.module.file_stem().unwrap_or_default();
    command.arg("--with").arg(&arguments.module).arg("--").arg(name).args(&arguments.arguments);
    Err(become_program(&mut command))
}
