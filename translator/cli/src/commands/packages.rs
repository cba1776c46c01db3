//! `linnet packages`

use linnet_build::{Builder, Result};

use super::print;

pub(crate) fn run() -> Result<()> {
    for (name, description) in Builder::new()?.packages()? {
        print(format_args!("{name:<10} {description}"))?;
    }
    Ok(())
}
