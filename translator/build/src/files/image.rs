//! Images of containers: an OCI image layout, as a directory or in an archive, or an archive as
//! `docker save` and `podman save` write it.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::sum::Sum;
use super::{docker, oci};
use crate::error::{At as _, Error, Result};
use crate::tree::{Tree, shown};

/// What an image for the guest says of its architecture.
pub(super) const ARCHITECTURES: [&str; 2] = ["wasm32", "wasm"];

/// The file that tells an OCI image layout.
const MARK: &str = "oci-layout";

/// Where the files of images are.
#[derive(Debug)]
pub(super) enum Store<'a> {
    Directory(&'a Path),
    Archive(&'a Tree),
}

/// What an image says of itself, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) architecture: String,
    rootfs: RootFs,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    /// Of the layers without compression, the lowest first.
    diff_ids: Vec<String>,
}

impl Config {
    pub(super) fn parse(text: &[u8]) -> Result<Self> {
        serde_json::from_slice(text).at("the image's configuration")
    }

    /// The digests of so many layers.
    pub(super) fn layers(&self, count: usize) -> Result<Vec<Sum>> {
        let named = &self.rootfs.diff_ids;
        if named.len() != count {
            return Err(Error::new(format!(
                "{count} layers, and a configuration that names {}",
                named.len()
            )));
        }
        named.iter().map(|text| Sum::parse(text)).collect()
    }
}

pub(super) fn is_layout(directory: &Path) -> bool {
    directory.join(MARK).is_file()
}

/// The files of the image for the guest.
pub(super) fn read(store: &Store<'_>) -> Result<Tree> {
    if store.has(MARK) { oci::read(store) } else { docker::read(store) }
}

impl<'a> Store<'a> {
    /// That in an archive with these files, if they are images.
    pub(super) fn in_archive(files: &'a Tree) -> Option<Self> {
        let store = Self::Archive(files);
        let is_image = store.has(MARK) && store.has(oci::INDEX) || docker::is_image(&store);
        is_image.then_some(store)
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::Directory(path) => path.join(name).is_file(),
            Self::Archive(files) => files.contents(name).is_some(),
        }
    }

    pub(super) fn read(&self, name: &str) -> Result<Cow<'a, [u8]>> {
        match self {
            Self::Directory(path) => {
                let path = path.join(name);
                Ok(Cow::Owned(fs::read(&path).at(path.display())?))
            }
            Self::Archive(files) => match files.contents(name) {
                Some(contents) => Ok(Cow::Borrowed(contents.as_slice())),
                None => Err(Error::new("not in the archive").at(shown(name.as_bytes()))),
            },
        }
    }

    /// What errors about a file name.
    pub(super) fn place(&self, name: &str) -> String {
        match self {
            Self::Directory(path) => path.join(name).display().to_string(),
            Self::Archive(_) => name.to_owned(),
        }
    }
}
