//! `linnet setup`

use linnet_build::{Builder, Result};

pub(crate) fn run() -> Result<()> {
    Builder::new()?.fetch_sources()
}
