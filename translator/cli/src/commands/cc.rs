//! `linnet cc`

use linnet_build::{Builder, Result};

use super::become_program;
use crate::arguments::Cc;

pub(crate) fn run(arguments: &Cc) -> Result<()> {
    let sdk = Builder::new()?.sdk()?;
    Err(become_program(sdk.compiler().args(&arguments.arguments)))
}
