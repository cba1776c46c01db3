//! `linnet build`

use std::fs;
use std::io::{self, Write as _};

use linnet_build::{At as _, Builder, Error, Result};

use crate::arguments::Build;

pub(crate) fn run(arguments: &Build) -> Result<()> {
    let builder = Builder::new()?;
    let built = builder.boot_binary(arguments.target.get()?, &arguments.with.files(&builder)?)?;
    let path = match &arguments.output {
        None => &built,
        Some(output) => {
            fs::copy(&built, output).at(output.display())?;
            output
        }
    };
    match writeln!(io::stdout(), "{}", path.display()) {
        // Whoever reads the path has seen enough.
        Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(cause) => Err(Error::new(cause).at("standard output")),
        Ok(()) => Ok(()),
    }
}
