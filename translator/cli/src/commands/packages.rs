//! `linnet packages` and `linnet pack`

use linnet_build::{Builder, Files, Result};

use super::print;
use crate::arguments::Pack;

pub(crate) fn list() -> Result<()> {
    for (name, description) in Builder::new()?.packages()? {
        print(format_args!("{name:<10} {description}"))?;
    }
    Ok(())
}

pub(crate) fn pack(arguments: &Pack) -> Result<()> {
    let builder = Builder::new()?;
    let mut files = Files::default();
    for what in &arguments.what {
        files.merge(&builder.files(what)?)?;
    }
    files.write(&arguments.output)
}
