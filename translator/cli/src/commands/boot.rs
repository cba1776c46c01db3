//! `linnet boot`

use std::process::Command;

use linnet_build::{Builder, Result, host};

use super::become_program;
use crate::arguments::Boot;

pub(crate) fn run(arguments: &Boot) -> Result<()> {
    // The builder ends here: what it holds, as the lock, is not for the machine.
    let binary = Builder::new()?.boot_binary(host(), &[])?;
    let mut command = Command::new(binary);
    if let Some(cpus) = arguments.cpus {
        command.arg("--cpus").arg(cpus.to_string());
    }
    if let Some(memory) = &arguments.memory {
        command.arg("--memory").arg(memory);
    }
    if let Some(append) = &arguments.append {
        command.arg("--append").arg(append);
    }
    if !arguments.command.is_empty() {
        command.arg("--").args(&arguments.command);
    }
    Err(become_program(&mut command))
}
