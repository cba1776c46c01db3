//! `linnet build`

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use linnet_build::{At as _, Builder, Error, Result};

use crate::arguments::Build;

pub(crate) fn run(arguments: &Build) -> Result<()> {
    let builder = Builder::new()?;
    let built = builder.boot_binary(arguments.target.get()?, &arguments.with.files(&builder)?)?;
    let path = match &arguments.output {
        None => &built,
        Some(output) => {
            publish(&built, output)?;
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

/// Copies `file` to `output`, which is whole or not there at all.
fn publish(file: &Path, output: &Path) -> Result<()> {
    let mut name = output.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let unfinished = PathBuf::from(name);
    let copied = fs::copy(file, &unfinished).and_then(|_| fs::rename(&unfinished, output));
    if copied.is_err() {
        // It may not even be there.
        let _ = fs::remove_file(&unfinished);
    }
    copied.at(output.display())
}
