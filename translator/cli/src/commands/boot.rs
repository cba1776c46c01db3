//! `linnet boot`

use std::env;

use linnet_build::{At as _, Builder, Result, host};

use super::become_program;
use crate::arguments::Boot;

pub(crate) fn run(arguments: &Boot) -> Result<()> {
    let builder = Builder::new()?;
    let binary = builder.boot_binary_of(host()?, &arguments.what.system(&builder, &[])?.0)?;
    let kept = arguments.code_cache.clone().unwrap_or_else(|| builder.cache_path("code"));
    // Its end saves what it knows of files; a program that is replaced has none.
    drop(builder);
    let mut command = linnet_process::command(binary);
    let Boot { cpus, memory, append, .. } = arguments;
    for (option, value) in [("--cpus", cpus), ("--memory", memory), ("--append", append)] {
        if let Some(value) = value {
            command.arg(option).arg(value);
        }
    }
    if !arguments.no_translator {
        command.arg("--translator").arg(env::current_exe().at("linnet")?);
        command.arg("--code-cache").arg(kept);
    }
    command.arg("--net").arg(&arguments.net);
    for port in &arguments.publish {
        command.arg("--publish").arg(port);
    }
    for share in &arguments.share {
        command.arg("--share").arg(share);
    }
    for disk in &arguments.disk {
        command.arg("--disk").arg(disk);
    }
    if !arguments.command.is_empty() {
        command.arg("--").args(&arguments.command);
    }
    Err(become_program(&mut command))
}
