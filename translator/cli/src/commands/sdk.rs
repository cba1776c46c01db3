//! `linnet cc` and the other tools for those who compile programs of the guest

use linnet_build::{Builder, Result, binary_tool};

use super::{become_program, print};
use crate::arguments::{Rest, Sdk};

pub(crate) fn compile(rest: &Rest) -> Result<()> {
    let sdk = Builder::new()?.sdk()?;
    Err(become_program(sdk.compiler().args(&rest.arguments)))
}

pub(crate) fn compile_cxx(rest: &Rest) -> Result<()> {
    let sdk = Builder::new()?.sdk_with_cxx()?;
    Err(become_program(sdk.cxx_compiler().args(&rest.arguments)))
}

/// Runs LLVM's tool `name`.
pub(crate) fn tool(name: &str, rest: &Rest) -> Result<()> {
    // It may have to be installed first.
    Builder::new()?;
    Err(become_program(binary_tool(name).args(&rest.arguments)))
}

pub(crate) fn directory(arguments: &Sdk) -> Result<()> {
    let builder = Builder::new()?;
    if let Some(package) = &arguments.package {
        return print(builder.libraries(package)?.display());
    }
    let sdk = if arguments.cxx { builder.sdk_with_cxx()? } else { builder.sdk()? };
    print(sdk.directory().display())
}
