use serde_json::{Value, json};

use super::super::image;
use super::*;
use crate::digest::Digest;
use crate::tree::{Kind, Node, shown};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const MANIFEST: &str = MANIFESTS[1];

fn layer(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = ::tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(text.len() as u64);
        builder.append_data(&mut header, name, text.as_bytes()).expect("a file");
    }
    builder.into_inner().expect("an archive")
}

/// A layout in an archive.
#[derive(Default)]
struct Layout(Tree);

impl Layout {
    fn add(&mut self, name: &str, contents: &[u8]) {
        self.0.add(name, Node::of_root(Kind::file(contents), 0o644)).expect("added");
    }

    fn blob(&mut self, media_type: &str, contents: &[u8]) -> Value {
        let digest = Digest::of(contents);
        self.add(&format!("blobs/sha256/{digest}"), contents);
        let size = contents.len();
        json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": size })
    }

    fn json(&mut self, media_type: &str, value: &Value) -> Value {
        self.blob(media_type, value.to_string().as_bytes())
    }

    /// An image of these layers.
    fn image(&mut self, layers: &[Vec<u8>]) -> Value {
        let sums: Vec<String> =
            layers.iter().map(|layer| format!("sha256:{}", Digest::of(layer))).collect();
        let config = json!({ "architecture": "wasm32", "os": "linux",
            "rootfs": { "type": "layers", "diff_ids": sums } });
        let config = self.json(CONFIGS[0], &config);
        let layers: Vec<Value> = layers.iter().map(|layer| self.blob(LAYER, layer)).collect();
        self.json(MANIFEST, &json!({ "schemaVersion": 2, "config": config, "layers": layers }))
    }

    fn read(&mut self, manifests: &[Value]) -> Result<String> {
        self.add("oci-layout", b"{\"imageLayoutVersion\":\"1.0.0\"}");
        self.add(
            INDEX,
            json!({ "schemaVersion": 2, "manifests": manifests }).to_string().as_bytes(),
        );
        let store = Store::in_archive(&self.0).expect("a layout");
        listed(&image::read(&store)?)
    }
}

fn listed(tree: &Tree) -> Result<String> {
    let line = |entry: crate::tree::Entry<'_>| match &entry.node.kind {
        Kind::File(contents) => format!("{}={}", shown(&entry.path), shown(contents)),
        _ => shown(&entry.path),
    };
    Ok(tree.iter().map(line).collect::<Vec<_>>().join(" "))
}

fn on(mut descriptor: Value, architecture: &str) -> Value {
    descriptor["platform"] = json!({ "architecture": architecture, "os": "linux" });
    descriptor
}

#[test]
fn layers_lie_upon_each_other() {
    let mut layout = Layout::default();
    let layers =
        [layer(&[("a", "1"), ("b", "2")]), layer(&[(".wh.a", ""), ("b", "3"), ("c/d", "4")])];
    let image = layout.image(&layers);
    assert_eq!(layout.read(&[image]).expect("files"), "b=3 c c/d=4");
}

#[test]
fn the_image_for_the_guest_is_chosen() {
    let mut layout = Layout::default();
    let (one, two) =
        (layout.image(&[layer(&[("one", "")])]), layout.image(&[layer(&[("two", "")])]));
    let mut read = |manifests: &[Value]| layout.read(manifests);
    let found =
        read(&[on(one.clone(), "amd64"), on(two.clone(), "wasm32"), on(one.clone(), "wasm")]);
    assert_eq!(found.expect("files"), "two=");
    for (manifests, only) in [
        (vec![on(one.clone(), "amd64")], ", only amd64"),
        (vec![one.clone(), two.clone()], ""),
        (vec![], ""),
    ] {
        let error = read(&manifests).expect_err("none");
        let wanted = format!("index.json: no image for the guest in the layout{only}");
        assert_eq!(error.message(), wanted);
    }
    let list = json!({ "manifests": [on(one, "arm64"), on(two, "wasm")] });
    let list = layout.json(MANIFESTS[0], &list);
    assert_eq!(layout.read(&[list]).expect("files"), "two=");
}

#[test]
fn all_is_as_it_is_described() {
    let parts = |layout: &mut Layout| {
        let layer = layer(&[("a", "1")]);
        let sum = format!("sha256:{}", Digest::of(&layer));
        let config = json!({ "rootfs": { "diff_ids": [sum] } });
        (layout.json(CONFIGS[0], &config), layout.blob(LAYER, &layer))
    };
    type Change = fn(&mut Layout, &mut Value, &mut Value);
    let changes: [(Change, &str); 10] = [
        (|_, _, layer| layer["size"] = json!(1), "bytes, not 1"),
        (|_, _, layer| layer["digest"] = json!("md5:00"), "no digest of SHA-256 or SHA-512"),
        (|_, _, layer| layer["digest"] = json!("sha256:../../x"), "no sha256 digest"),
        (
            |_, _, layer| layer["digest"] = json!(format!("sha256:{}", "0".repeat(64))),
            "not in the archive",
        ),
        (
            |layout, _, layer| {
                let name =
                    format!("blobs/{}", layer["digest"].as_str().expect("text").replace(':', "/"));
                let size = layer["size"].as_u64().expect("a number") as usize;
                layout.add(&name, &vec![0; size]);
            },
            "the contents are not those of the digest",
        ),
        (
            |_, _, layer| layer["mediaType"] = json!("application/wasm"),
            "of the type \"application/wasm\"",
        ),
        (
            |_, _, layer| {
                layer["mediaType"] = json!(ELSEWHERE[1]);
                layer["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
            },
            "not in the archive",
        ),
        (
            |_, config, _| config["mediaType"] = json!("application/vnd.oci.empty.v1+json"),
            "of the type",
        ),
        (
            |layout, config, _| {
                *config = layout.json(CONFIGS[0], &json!({ "rootfs": { "diff_ids": [] } }))
            },
            "1 layers, and a configuration that names 0",
        ),
        (
            |layout, config, _| {
                let other =
                    json!({ "rootfs": { "diff_ids": [format!("sha256:{}", "0".repeat(64))] } });
                *config = layout.json(CONFIGS[0], &other);
            },
            "not the one that the image's configuration names",
        ),
    ];
    for (change, why) in changes {
        let mut layout = Layout::default();
        let (mut config, mut layer) = parts(&mut layout);
        change(&mut layout, &mut config, &mut layer);
        let image = json!({ "config": config, "layers": [layer] });
        let image = layout.json(MANIFEST, &image);
        let error = layout.read(&[image]).expect_err(why);
        assert!(error.message().contains(why), "{error}");
    }
}

#[test]
fn digests_may_be_longer() {
    use sha2::{Digest as _, Sha512};
    let mut layout = Layout::default();
    let bytes = layer(&[("a", "1")]);
    let hex: String = Sha512::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    layout.add(&format!("blobs/sha512/{hex}"), &bytes);
    let digest = format!("sha512:{hex}");
    let config = layout.json(CONFIGS[0], &json!({ "rootfs": { "diff_ids": [digest] } }));
    let layer = json!({ "mediaType": LAYER, "digest": digest, "size": bytes.len() });
    let image = layout.json(MANIFEST, &json!({ "config": config, "layers": [layer] }));
    assert_eq!(layout.read(&[image]).expect("files"), "a=1");
}

#[test]
fn archives_of_docker_are_images() {
    let mut layout = Layout::default();
    let layers = [layer(&[("a", "1"), ("b", "2")]), layer(&[(".wh.a", "")])];
    let sums: Vec<String> =
        layers.iter().map(|layer| format!("sha256:{}", Digest::of(layer))).collect();
    let config = |architecture: &str| {
        json!({ "architecture": architecture, "rootfs": { "diff_ids": sums } }).to_string()
    };
    layout.add("one/layer.tar", &layers[0]);
    layout.add("two/layer.tar", &layers[1]);
    let mut read = |architecture: &str| {
        layout.add("config.json", config(architecture).as_bytes());
        let list = json!([{ "Config": "config.json", "RepoTags": ["x:latest"],
            "Layers": ["one/layer.tar", "two/layer.tar"] }]);
        layout.add("manifest.json", list.to_string().as_bytes());
        image::read(&Store::in_archive(&layout.0).expect("an image")).and_then(|tree| listed(&tree))
    };
    assert_eq!(read("wasm32").expect("files"), "b=2");
    let error = read("amd64").expect_err("not for the guest");
    assert_eq!(error.message(), "no image for the guest in the archive");
    // Other files of that name are files.
    let mut files = Layout::default();
    files.add("manifest.json", b"{\"name\": \"of a web page\"}");
    assert!(Store::in_archive(&files.0).is_none());
}
