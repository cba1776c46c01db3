//! Archives of `docker save` and `podman save`: `manifest.json` lists images, each with the names of its
//! configuration and its layers.

use serde::Deserialize;

use super::image::{ARCHITECTURES, Config, Store};
use super::layer;
use crate::error::{At as _, Error, Result};
use crate::tree::Tree;

const LIST: &str = "manifest.json";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    config: String,
    layers: Vec<String>,
}

pub(super) fn is_image(store: &Store<'_>) -> bool {
    list(store).is_ok_and(|images| !images.is_empty())
}

fn list(store: &Store<'_>) -> Result<Vec<Image>> {
    serde_json::from_slice(&store.read(LIST)?).at(LIST)
}

pub(super) fn read(store: &Store<'_>) -> Result<Tree> {
    let mut found = Vec::new();
    for image in list(store)? {
        found.push((Config::parse(&store.read(&image.config)?)?, image));
    }
    let fits =
        |(config, _): &&(Config, Image)| ARCHITECTURES.contains(&config.architecture.as_str());
    let (config, image) = found.iter().find(fits).ok_or_else(|| {
        Error::new("no image for the guest in the archive")
            .hint("the image's configuration has the architecture wasm32")
    })?;
    let sums = config.layers(image.layers.len())?;
    let mut tree = Tree::default();
    for (name, sum) in image.layers.iter().zip(&sums) {
        layer::apply(&mut tree, &store.read(name)?, Some(sum)).map_err(|error| error.at(name))?;
    }
    Ok(tree)
}
