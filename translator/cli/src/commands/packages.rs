//! `linnet packages`

use std::io::{self, Write as _};

use linnet_build::{At as _, Builder, Result};

pub(crate) fn run() -> Result<()> {
    let mut out = io::stdout().lock();
    for (name, description) in Builder::new()?.packages()? {
        writeln!(out, "{name:<10} {description}").at("standard output")?;
    }
    Ok(())
}
