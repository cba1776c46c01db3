//! `linnet cc` and the other tools for those who compile programs of the guest

use std::env;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use linnet_build::{At as _, Builder, Result, binary_tool, show_on_terminal};

use super::{become_program, print_bytes, print_path};
use crate::arguments::{Rest, Sdk};

/// Names packages whose headers and libraries the compilers find.
const WITH: &str = "LINNET_WITH";

pub(crate) fn compile(rest: &Rest) -> Result<()> {
    if asks(rest) {
        return answer(rest, "gcc");
    }
    let sdk = sdk(false, &[])?;
    Err(become_program(sdk.compiler().args(&rest.arguments)))
}

pub(crate) fn compile_cxx(rest: &Rest) -> Result<()> {
    if asks(rest) {
        return answer(rest, "g++");
    }
    let sdk = sdk(true, &[])?;
    Err(become_program(sdk.cxx_compiler().args(&rest.arguments)))
}

/// Is that a question about the compiler, which needs no library? All that is no option may be a file.
fn asks(rest: &Rest) -> bool {
    !rest.arguments.is_empty()
        && rest.arguments.iter().all(|word| word.len() > 1 && word.as_bytes().starts_with(b"-"))
}

fn answer(rest: &Rest, mode: &str) -> Result<()> {
    let mut compiler = builder()?.sdk()?.compiler();
    compiler.arg(format!("--driver-mode={mode}")).args(&rest.arguments);
    // It would link what the configuration names.
    if rest.arguments.iter().any(|word| word == "-v" || word == "-###") {
        compiler.arg("-c");
    }
    Err(become_program(&mut compiler))
}

pub(crate) fn pkg_config(rest: &Rest) -> Result<()> {
    let mut command = builder()?.pkg_config(&packages(&[]))?;
    Err(become_program(command.args(&rest.arguments)))
}

/// Runs LLVM's tool `name`.
pub(crate) fn tool(name: &str, rest: &Rest) -> Result<()> {
    // It may have to be installed first.
    builder()?;
    Err(become_program(binary_tool(name).args(&rest.arguments)))
}

pub(crate) fn directory(arguments: &Sdk) -> Result<()> {
    if arguments.env {
        return environment();
    }
    print_path(&sdk(arguments.cxx, &arguments.with)?.directory())
}

fn sdk(cxx: bool, with: &[String]) -> Result<linnet_build::Sdk> {
    builder()?.sdk_with(&packages(with), cxx)
}

/// For a build system's command, whose output the user may not see.
fn builder() -> Result<Builder> {
    show_on_terminal();
    Builder::new()
}

/// Commands for a shell.
fn environment() -> Result<()> {
    let (tools, answers) = builder()?.configure_tools();
    let linnet = env::current_exe().at("linnet")?;
    let mut text = Vec::new();
    let mut export = |name: &str, value: &Path, rest: &str| {
        text.extend_from_slice(format!("export {name}='").as_bytes());
        let parts: Vec<&[u8]> = value.as_os_str().as_bytes().split(|byte| *byte == b'\'').collect();
        text.extend(parts.join(&b"'\\''"[..]));
        text.extend_from_slice(format!("'{rest}\n").as_bytes());
    };
    export("LINNET", &linnet, "");
    export("PATH", &tools, ":\"$PATH\"");
    export("CONFIG_SITE", &answers, "");
    print_bytes(&text)
}

/// Those of the environment and `more`.
fn packages(more: &[String]) -> Vec<String> {
    let variable = env::var(WITH).unwrap_or_default();
    let named = variable.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut packages: Vec<String> = named.map(str::to_owned).collect();
    packages.extend_from_slice(more);
    packages.sort();
    packages.dedup();
    packages
}
