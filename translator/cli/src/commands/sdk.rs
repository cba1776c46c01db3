//! `linnet cc` and the other tools for those who compile programs of the guest

use std::env;

use linnet_build::{Builder, Result, binary_tool};

use super::{become_program, print_path};
use crate::arguments::{Rest, Sdk};

/// Names packages whose headers and libraries the compilers find.
const WITH: &str = "LINNET_WITH";

pub(crate) fn compile(rest: &Rest) -> Result<()> {
    let sdk = sdk(false, &[])?;
    Err(become_program(sdk.compiler().args(&rest.arguments)))
}

pub(crate) fn compile_cxx(rest: &Rest) -> Result<()> {
    let sdk = sdk(true, &[])?;
    Err(become_program(sdk.cxx_compiler().args(&rest.arguments)))
}

pub(crate) fn pkg_config(rest: &Rest) -> Result<()> {
    let mut command = Builder::new()?.pkg_config(&packages(&[]))?;
    Err(become_program(command.args(&rest.arguments)))
}

/// Runs LLVM's tool `name`.
pub(crate) fn tool(name: &str, rest: &Rest) -> Result<()> {
    // It may have to be installed first.
    Builder::new()?;
    Err(become_program(binary_tool(name).args(&rest.arguments)))
}

pub(crate) fn directory(arguments: &Sdk) -> Result<()> {
    print_path(&sdk(arguments.cxx, &arguments.with)?.directory())
}

fn sdk(cxx: bool, with: &[String]) -> Result<linnet_build::Sdk> {
    Builder::new()?.sdk_with(&packages(with), cxx)
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
