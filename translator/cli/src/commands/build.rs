//! `linnet build`

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use linnet_build::{At as _, Builder, Error, Result, Target, oci, output};

use super::print_path;
use crate::arguments::Build;

pub(crate) fn run(arguments: &Build) -> Result<()> {
    let builder = Builder::new()?;
    let (mut system, described) = arguments.what.system(&builder, &arguments.inputs)?;
    if let Some(size) = &arguments.memory {
        system.set_memory(size).map_err(Error::usage)?;
    }
    if let Some(append) = &arguments.append {
        system.add_arguments(append);
    }
    system.strip |= arguments.strip;
    system.compress |= arguments.compress;
    system.frames |= arguments.frames;
    if let Some(script) = &arguments.frozen {
        system.frozen = Some(script.clone());
    }

    let targets = arguments.targets(described)?;
    let mut binaries = Vec::new();
    for target in &targets {
        binaries.push((*target, builder.boot_binary_of(*target, &system)?));
    }
    if let Some(directory) = &arguments.oci {
        oci::write(directory, &binaries)?;
        print_path(directory)?;
        if arguments.output.is_none() {
            return Ok(());
        }
    }
    for (target, built) in &binaries {
        let size = fs::metadata(built).at(built.display())?.len();
        builder.say(format_args!("{:<10} {:>6.1} MB", target.name(), size as f64 / 1e6));
        let path = match &arguments.output {
            None => built.clone(),
            Some(file) => {
                let path = place(file, *target, targets.len() > 1);
                output::write(&path, &fs::read(built).at(built.display())?, 0o755)?;
                path
            }
        };
        print_path(&path)?;
    }
    Ok(())
}

/// Where a boot binary goes; one of several says what it is for.
fn place(file: &Path, target: Target, several: bool) -> PathBuf {
    let mut name = OsString::from(file);
    if several {
        name.push(format!("-{}", target.name()));
    }
    name.into()
}
