//! An OCI image layout: <https://github.com/opencontainers/image-spec>, image-layout.md, image-index.md,
//! manifest.md and descriptor.md.

use std::borrow::Cow;

use serde::Deserialize;

use super::image::{ARCHITECTURES, Config, Store};
use super::layer;
use super::sum::Sum;
use crate::error::{At as _, Error, Result};
use crate::tree::Tree;

pub(super) const INDEX: &str = "index.json";

/// Lists of images, and images.
const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// Layers, which tell by their first bytes how they are compressed.
const LAYERS: [&str; 6] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
];

/// Layers that may not be passed on, so that a layout need not have them.
const ELSEWHERE: [&str; 4] = [
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
];

/// Lists in lists.
const MOST_LISTS: usize = 16;

/// An index or the manifest of an image.
#[derive(Debug, Deserialize)]
struct Document {
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    size: u64,
    #[serde(default)]
    media_type: String,
    platform: Option<Platform>,
}

#[derive(Debug, Deserialize)]
struct Platform {
    architecture: String,
}

pub(super) fn read(store: &Store<'_>) -> Result<Tree> {
    let mut place = store.place(INDEX);
    let mut text = store.read(INDEX)?;
    for _ in 0..MOST_LISTS {
        let document: Document = serde_json::from_slice(&text).at(&place)?;
        let chosen = match document {
            Document { manifests: Some(manifests), layers: None, .. } => choose(manifests),
            Document { manifests: None, layers: Some(layers), config: Some(config) } => {
                return image(store, &config, &layers).map_err(|error| error.at(&place));
            }
            _ => Err(Error::new("neither a list of images nor an image")),
        };
        let chosen = chosen.map_err(|error| error.at(&place))?;
        text = chosen.blob(store, &[&MANIFESTS])?;
        place = chosen.digest;
    }
    Err(Error::new("too many lists of images in each other").at(place))
}

/// The image for the guest, or the only one. Of several for the guest it is the first, as the
/// specification has it.
fn choose(manifests: Vec<Descriptor>) -> Result<Descriptor> {
    let is_only = manifests.len() == 1;
    let architecture = |descriptor: &Descriptor| {
        descriptor.platform.as_ref().map(|platform| platform.architecture.clone())
    };
    let found: Vec<String> = manifests.iter().filter_map(architecture).collect();
    let fits = |descriptor: &Descriptor| match architecture(descriptor) {
        Some(architecture) => ARCHITECTURES.contains(&architecture.as_str()),
        None => is_only,
    };
    manifests.into_iter().find(fits).ok_or_else(|| {
        let found =
            if found.is_empty() { String::new() } else { format!(", only {}", found.join(", ")) };
        Error::new(format!("no image for the guest in the layout{found}"))
            .hint("the image's platform has the architecture wasm32")
    })
}

fn image(store: &Store<'_>, config: &Descriptor, layers: &[Descriptor]) -> Result<Tree> {
    let config = Config::parse(&config.blob(store, &[&CONFIGS])?)?;
    let sums = config.layers(layers.len())?;
    let mut tree = Tree::default();
    for (layer, sum) in layers.iter().zip(&sums) {
        let contents =
            layer.blob(store, &[&LAYERS, &ELSEWHERE]).map_err(|error| {
                match ELSEWHERE.contains(&layer.media_type.as_str()) {
                    true => error
                        .hint("this layer may not be passed on, and has to be put there by hand"),
                    false => error,
                }
            })?;
        layer::apply(&mut tree, &contents, Some(sum)).map_err(|error| error.at(&layer.digest))?;
    }
    Ok(tree)
}

impl Descriptor {
    /// The contents that it describes, which are of one of these types.
    fn blob<'a>(&self, store: &Store<'a>, types: &[&[&str]]) -> Result<Cow<'a, [u8]>> {
        let media_type = self.media_type.as_str();
        // What other tools left out is seen from the contents.
        if !media_type.is_empty() && !types.iter().any(|types| types.contains(&media_type)) {
            return Err(Error::new(format!("of the type {media_type:?}, which no image has here"))
                .at(&self.digest));
        }
        let sum = Sum::parse(&self.digest)?;
        let name = format!("blobs/{}/{}", sum.algorithm(), sum.hex);
        let bytes = store.read(&name)?;
        let wrong = |why: String| Err(Error::new(why).at(store.place(&name)));
        if bytes.len() as u64 != self.size {
            return wrong(format!("{} bytes, not {}", bytes.len(), self.size));
        }
        match sum.is_of(&bytes) {
            true => Ok(bytes),
            false => wrong("the contents are not those of the digest".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
