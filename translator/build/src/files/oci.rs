//! An OCI image layout: <https://github.com/opencontainers/image-spec>, image-layout.md, manifest.md
//! and layer.md.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{Files, archive};
use crate::digest::Digest;
use crate::error::{At as _, Error, Result};
use crate::tree::Tree;

const MARK: &str = "oci-layout";
/// Before the name of a file of a lower layer that the image does not have.
const WHITEOUT: &str = ".wh.";
/// In a directory of which the image has nothing that lower layers have.
const OPAQUE: &str = ".wh..wh..opq";
/// What an image for the guest says of its architecture.
const ARCHITECTURES: [&str; 2] = ["wasm32", "wasm"];

#[derive(Debug, Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    #[serde(default)]
    media_type: String,
    platform: Option<Platform>,
}

#[derive(Debug, Deserialize)]
struct Platform {
    architecture: String,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    layers: Vec<Descriptor>,
}

pub(super) fn is_layout(directory: &Path) -> bool {
    directory.join(MARK).is_file()
}

pub(super) fn read(layout: &Path) -> Result<Files> {
    let path = layout.join("index.json");
    let text = fs::read(&path).at(path.display())?;
    let mut index: Index = serde_json::from_slice(&text).at(path.display())?;
    let manifest: Manifest = loop {
        let chosen = choose(&index).map_err(|error| error.at(path.display()))?;
        let bytes = blob(layout, chosen)?;
        if !chosen.media_type.contains("index") {
            break serde_json::from_slice(&bytes).at(&chosen.digest)?;
        }
        index = serde_json::from_slice(&bytes).at(&chosen.digest)?;
    };
    let mut files = Files::default();
    for layer in &manifest.layers {
        let mut tree = Tree::default();
        archive::layer(&mut tree, &blob(layout, layer)?)
            .map_err(|error| error.at(&layer.digest))?;
        apply(&mut files.tree, tree);
    }
    Ok(files)
}

/// The image for the guest, or the only one.
fn choose(index: &Index) -> Result<&Descriptor> {
    let fits = |descriptor: &&Descriptor| {
        let platform = descriptor.platform.as_ref();
        platform.is_some_and(|found| ARCHITECTURES.contains(&found.architecture.as_str()))
    };
    match (index.manifests.iter().find(fits), index.manifests.as_slice()) {
        (Some(found), _) => Ok(found),
        (None, [only]) if only.platform.is_none() => Ok(only),
        _ => Err(Error::new("no image for the guest in the layout")
            .hint("the image's platform has the architecture wasm32")),
    }
}

/// The contents of that digest.
fn blob(layout: &Path, descriptor: &Descriptor) -> Result<Vec<u8>> {
    let unusable = || Error::new(format!("{:?} is no SHA-256 digest", descriptor.digest));
    let hex = descriptor.digest.strip_prefix("sha256:").ok_or_else(unusable)?;
    let wanted = Digest::parse(hex).ok_or_else(unusable)?;
    let path = layout.join("blobs/sha256").join(hex);
    let bytes = fs::read(&path).at(path.display())?;
    if Digest::of(&bytes) != wanted {
        return Err(Error::new("the contents are not those of the digest").at(path.display()));
    }
    Ok(bytes)
}

/// Puts a layer on top of those below.
fn apply(tree: &mut Tree, layer: Tree) {
    let hidden: Vec<String> = layer
        .iter()
        .filter_map(|(path, _)| {
            let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
            let at = |name: &str| format!("{directory}/{name}").trim_matches('/').to_owned();
            match name {
                OPAQUE => Some(at("")),
                _ => name.strip_prefix(WHITEOUT).map(at),
            }
        })
        .collect();
    for path in hidden {
        tree.remove(&path);
    }
    let mut rest = layer;
    let marks: Vec<String> = rest
        .iter()
        .map(|(path, _)| path)
        .filter(|path| path.rsplit('/').next().is_some_and(|name| name.starts_with(WHITEOUT)))
        .map(str::to_owned)
        .collect();
    for mark in marks {
        rest.remove(&mark);
    }
    tree.merge(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Kind, Node};

    #[test]
    fn layers_hide_what_lies_below() {
        let file = || Node::of_root(Kind::File(Vec::new()), 0o644);
        let mut tree = Tree::default();
        for path in ["a/one", "a/two", "b/one", "c"] {
            tree.add(path, file());
        }
        let mut layer = Tree::default();
        for path in ["a/.wh.one", "b/.wh..wh..opq", "b/new", ".wh.c"] {
            layer.add(path, file());
        }
        apply(&mut tree, layer);
        let left: Vec<&str> = tree.iter().map(|(path, _)| path).collect();
        assert_eq!(left, ["a", "a/two", "b", "b/new"]);
    }
}
