//! Fetches the upstream sources listed in `sysroot/sources.toml`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use crate::apt::Apt;
use crate::builder::Builder;
use crate::digest::Digest;
use crate::error::{At as _, Error, Result};
use crate::progress::Step;
use crate::script;

/// Where an installed package of Linux sources puts them.
const INSTALLED: &str = "/usr/src";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Source {
    /// The package that holds the file below [`INSTALLED`], or
    binary_package: Option<String>,
    /// The suite of the Debian archive that has the package, if it is not this machine's release.
    suite: Option<String>,
    /// the package whose upstream part the file is, in `version`.
    source_package: Option<String>,
    version: Option<String>,
    file: String,
    sha256: Option<String>,
    /// Not everybody needs it, so that it is fetched only when something is built from it.
    #[serde(default)]
    on_demand: bool,
}

/// An archive on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    pub(crate) path: PathBuf,
    pub(crate) digest: Digest,
}

/// The list, and the connections to the archive that were needed so far, by suite.
#[derive(Debug)]
pub(crate) struct Sources {
    list: BTreeMap<String, Source>,
    apt: Mutex<BTreeMap<Option<String>, Apt>>,
}

impl Sources {
    pub(crate) fn open(list: &Path) -> Result<Self> {
        let text = fs::read_to_string(list).at(list.display())?;
        Ok(Self { list: toml::from_str(&text).at(list.display())?, apt: Mutex::default() })
    }

    /// Of what every build needs.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().filter(|(_, source)| !source.on_demand).map(|(name, _)| name.as_str())
    }

    /// What follows `prefix` in names.
    pub(crate) fn names_after(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.list.keys().filter_map(move |name| name.strip_prefix(prefix))
    }
}

impl Builder {
    /// Where the archive of one name is, fetched if it is not there.
    pub fn source_file(&self, name: &str) -> Result<PathBuf> {
        Ok(self.source(name)?.path)
    }

    /// The archive of one name, fetched if it is not there.
    pub(crate) fn source(&self, name: &str) -> Result<Archive> {
        let source = self.sources.list.get(name).ok_or_else(|| {
            Error::new(format!("no source is called {name}")).at("sysroot/sources.toml")
        })?;
        self.archive(name, source)
    }

    /// The archive of a source, fetched if it is not there. `name` is for errors.
    pub(crate) fn archive(&self, name: &str, source: &Source) -> Result<Archive> {
        let installed = Path::new(INSTALLED).join(&source.file);
        let path = if source.binary_package.is_some() && installed.exists() {
            installed
        } else {
            self.fetched(name, source)?
        };
        let digest = match &source.sha256 {
            None => self.index.file(&path)?,
            Some(hex) => {
                let wanted = Digest::parse(hex)
                    .ok_or_else(|| Error::new("sha256 is not 64 hexadecimal digits"))
                    .map_err(|error| error.at(format_args!("source of {name}")))?;
                self.index
                    .check(&path, wanted)
                    .map_err(|error| error.hint("remove this file to fetch it again"))?;
                wanted
            }
        };
        Ok(Archive { path, digest })
    }

    fn fetched(&self, name: &str, source: &Source) -> Result<PathBuf> {
        let place = self.cache.path("sources").join(&source.file);
        if place.exists() {
            return Ok(place);
        }
        let _lock = self.cache.lock("sources")?;
        let mut apt = self.sources.apt.lock().unwrap_or_else(PoisonError::into_inner);
        // Another run, or another thread of this one, may have fetched it in the meantime.
        if !place.exists() {
            let step = self.progress.step(&format!("get {name}"));
            let suite = source.suite.as_deref();
            let apt = match apt.entry(source.suite.clone()) {
                Entry::Occupied(open) => open.into_mut(),
                Entry::Vacant(place) => {
                    let root = suite.map_or("apt".to_owned(), |suite| format!("apt-{suite}"));
                    let log = self.cache.path("logs/apt");
                    place.insert(Apt::open(self.cache.path(root), suite, log, &step)?)
                }
            };
            self.fetch(apt, name, source, &place, &step)?;
            step.done();
        }
        Ok(place)
    }

    fn fetch(
        &self,
        apt: &Apt,
        name: &str,
        source: &Source,
        place: &Path,
        step: &Step<'_>,
    ) -> Result<()> {
        let work = self.cache.path("work").join(format!("get-{name}"));
        if work.exists() {
            fs::remove_dir_all(&work).at(work.display())?;
        }
        fs::create_dir_all(&work).at(work.display())?;

        step.doing(&source.file);
        let found = if let Some(package) = &source.binary_package {
            apt.fetch(&["download", package], &work, step)
                .map_err(without_package(package, source.suite.as_deref()))?;
            self.unpack(&work, step)?;
            work.join("usr/src").join(&source.file)
        } else {
            let package = source.source_package.as_deref().unwrap_or(name);
            let upstream = source.version.as_deref().unwrap_or_default();
            let version = apt
                .source_versions(package)?
                .into_iter()
                .find(|version| upstream_part(version) == upstream)
                .ok_or_else(|| Error::new(format!("version {upstream} is not in the archive")))
                .map_err(|error| without_package(package, None)(error.at(package)))?;
            let exact = format!("{package}={version}");
            apt.fetch(&["source", "--download-only", "--tar-only", &exact], &work, step)?;
            work.join(&source.file)
        };
        fs::rename(&found, place).at(found.display())?;
        fs::remove_dir_all(&work).at(work.display())
    }

    /// Unpacks the one package in `work`.
    fn unpack(&self, work: &Path, step: &Step<'_>) -> Result<()> {
        let entries = fs::read_dir(work).at(work.display())?;
        let package = entries
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .ok_or_else(|| Error::new("apt-get brought no package").at(work.display()))?;
        let mut command = linnet_process::command("dpkg-deb");
        script::run(command.arg("-x").arg(package).arg(work), &self.cache.path("logs/unpack"), step)
    }
}

fn without_package(package: &str, suite: Option<&str>) -> impl Fn(Error) -> Error {
    move |error| {
        let place = suite.unwrap_or("this Debian release (or its updates)");
        error.hint(format!("is the network up, and does {place} have {package}?"))
    }
}

/// `1.35.0` of `1:1.35.0-4+deb12u1`.
fn upstream_part(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.rsplit_once('-').map_or(version, |(upstream, _)| upstream)
}

#[cfg(test)]
mod tests {
    use super::upstream_part;

    #[test]
    fn upstream_part_of_a_version() {
        assert_eq!(upstream_part("1:1.35.0-4+deb12u1"), "1.35.0");
        assert_eq!(upstream_part("1.2.3-1"), "1.2.3");
        assert_eq!(upstream_part("6.12.117"), "6.12.117");
    }
}
