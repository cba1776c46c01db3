//! The door to everything that is built: where the sources, the cache and the machine's tools are.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use linnet_codegen::Target;

use crate::cache::Cache;
use crate::digest::Index;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::sources::Sources;
use crate::tools;

#[derive(Debug)]
pub struct Builder {
    /// The project's source tree.
    pub(crate) root: PathBuf,
    pub(crate) cache: Cache,
    pub(crate) index: Index,
    pub(crate) progress: Progress,
    pub(crate) sources: Sources,
    /// How many processes one step may run at a time.
    pub(crate) jobs: usize,
}

impl Builder {
    /// Installs missing packages first, or says which are missing.
    pub fn new() -> Result<Self> {
        let builder = Self::without_compilers()?;
        tools::set_up(&builder.progress, &builder.cache)?;
        Ok(builder)
    }

    /// For what compiles nothing for the guest.
    pub fn without_compilers() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().map_err(|cause| {
            Error::new(cause)
                .at(root.display())
                .hint("linnet builds from the source tree that it was compiled in")
        })?;
        let progress = Progress::new();
        let cache = Cache::open()?;
        Ok(Self {
            index: Index::load(cache.path("index")),
            sources: Sources::open(&root.join("sysroot/sources.toml"))?,
            jobs: thread::available_parallelism().map_or(1, NonZero::get),
            root,
            cache,
            progress,
        })
    }

    /// Fetches what is missing of the guest's sources.
    pub fn fetch_sources(&self) -> Result<()> {
        self.sources.names().try_for_each(|name| self.source(name).map(drop))
    }

    /// The program that runs boot binaries of another instruction set; installed if it is missing.
    pub fn emulator(&self, target: Target) -> Result<PathBuf> {
        tools::emulator(target, &self.progress, &self.cache)
    }

    /// Installs a Debian package if `program`, which is in it, is missing.
    pub fn tool(&self, package: &str, program: &str) -> Result<()> {
        let package = tools::package(package, program);
        tools::install(&[package], &self.progress, &self.cache)
    }

    /// pkg-config for the libraries of `packages`; installed if it is missing.
    pub fn pkg_config(&self, packages: &[String]) -> Result<Command> {
        self.tool("pkg-config", "pkg-config")?;
        Ok(self.sdk_with(packages, false)?.pkg_config())
    }

    /// The directory with the compilers and tools under the names that configure scripts look for, and the
    /// file with answers for these scripts.
    pub fn configure_tools(&self) -> (PathBuf, PathBuf) {
        let tools = self.root.join("sysroot/tools");
        (tools.join("bin"), tools.join("config.site"))
    }

    /// The host's debugger; installed if it is missing.
    pub fn debugger(&self) -> Result<PathBuf> {
        tools::debugger(&self.progress, &self.cache)
    }

    /// Shows a line on standard error, beside what is shown of the build.
    pub fn say(&self, line: impl std::fmt::Display) {
        self.progress.say(line);
    }

    /// Where a log or other file of this run may be written.
    pub fn cache_path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.cache.path(name)
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        // The index only saves time, so that failing to keep it is no failure of the build.
        let _ = self.index.save();
    }
}
