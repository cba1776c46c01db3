//! The command `linnet`.
//!
//! Standard output is for data, standard error for talk. The exit status is 0 if all went well, 1
//! if something went wrong and 2 if the command line was wrong; `linnet boot` and `linnet run` become the
//! machine or the program and end with its status (docs/src/reference/exit-codes.md).

#![forbid(unsafe_code)]

mod arguments;
mod commands;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use linnet_build::service;

use crate::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Boot(arguments) => commands::boot::run(&arguments),
        Command::Build(arguments) => commands::build::run(&arguments),
        Command::Cc(arguments) => commands::sdk::compile(&arguments.rest),
        Command::Cxx(arguments) => commands::sdk::compile_cxx(&arguments.rest),
        Command::Sdk(arguments) => commands::sdk::directory(&arguments),
        Command::PkgConfig(arguments) => commands::sdk::pkg_config(&arguments.rest),
        Command::Ar(arguments) => commands::sdk::tool("ar", &arguments.rest),
        Command::Ranlib(arguments) => commands::sdk::tool("ranlib", &arguments.rest),
        Command::Nm(arguments) => commands::sdk::tool("nm", &arguments.rest),
        Command::Strip(arguments) => commands::sdk::tool("strip", &arguments.rest),
        Command::Readelf(arguments) => commands::sdk::tool("readelf", &arguments.rest),
        Command::Objdump(arguments) => commands::sdk::tool("objdump", &arguments.rest),
        Command::Compile(arguments) => commands::compile::run(&arguments),
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Inspect(arguments) => commands::inspect::run(&arguments),
        Command::Packages => commands::packages::list(),
        Command::Pack(arguments) => commands::packages::pack(&arguments),
        Command::Translator(arguments) => service::serve(arguments.code_cache.as_deref()),
        Command::TranslateOne => service::work(),
        Command::Setup => commands::setup::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nowhere to tell that standard error cannot be written.
            let _ = writeln!(std::io::stderr(), "{error}");
            if error.is_usage() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
