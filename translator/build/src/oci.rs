//! Boot binaries as an OCI image layout, one image for all instruction sets, for container engines:
//! <https://github.com/opencontainers/image-spec>, image-layout.md, image-index.md, manifest.md and
//! config.md. An image holds one file, the boot binary, which is also its entry point.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use linnet_codegen::Target;
use serde_json::{Value, json};

use crate::digest::Digest;
use crate::error::{At as _, Error, Result};
use crate::output;

/// The boot binary's name in an image.
const NAME: &str = "linnet";

/// Names in a layout.
const BLOBS: &str = "blobs";
const INDEX_FILE: &str = "index.json";

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The image's name in the layout: engines take it if they are told no other.
const TAG: &str = "latest";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Writes the layout into `directory`, which must be empty or not there, or hold one that was not
/// finished. The same boot binaries always give the same files. If it fails, nothing stays.
pub fn write(directory: &Path, binaries: &[(Target, PathBuf)]) -> Result<()> {
    let is_new = !directory.exists();
    let names = fs::read_dir(directory).map_or_else(
        |_| Vec::new(),
        |entries| entries.flatten().map(|entry| entry.file_name()).collect(),
    );
    // What makes a layout whole is written last.
    if names.iter().any(|name| name != BLOBS && name != INDEX_FILE) {
        return Err(Error::new("the directory is not empty")
            .at(directory.display())
            .hint("an image layout is written into a new directory"));
    }
    put(directory, binaries).inspect_err(|_| {
        // What cannot be removed says so when it is in the way.
        if is_new {
            let _ = fs::remove_dir_all(directory);
        } else if names.is_empty() {
            let _ = fs::remove_dir_all(directory.join(BLOBS));
            let _ = fs::remove_file(directory.join(INDEX_FILE));
        }
    })
}

fn put(directory: &Path, binaries: &[(Target, PathBuf)]) -> Result<()> {
    let blobs = directory.join(BLOBS).join("sha256");
    fs::create_dir_all(&blobs).at(blobs.display())?;
    let manifests = binaries
        .iter()
        .map(|(target, binary)| image(&blobs, *target, binary))
        .collect::<Result<Vec<Value>>>()?;
    // Engines want one entry with that name, and choose their CPU behind it.
    let mut named = match <[Value; 1]>::try_from(manifests) {
        Ok([only]) => only,
        Err(several) => blob(&blobs, INDEX, list(several).to_string().as_bytes())?,
    };
    named["annotations"] = json!({ "org.opencontainers.image.ref.name": TAG });
    let index = list(vec![named]);
    let put = |name: &str, value: &Value| {
        output::write(&directory.join(name), value.to_string().as_bytes(), 0o644)
    };
    put(INDEX_FILE, &index)?;
    // Last: what has this file is whole.
    put("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }))
}

fn list(manifests: Vec<Value>) -> Value {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests })
}

/// Writes an image and gives its descriptor.
fn image(blobs: &Path, target: Target, binary: &Path) -> Result<Value> {
    let contents = fs::read(binary).at(binary.display())?;
    let layer = layer(&contents).at(binary.display())?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&layer).at("compression")?;
    let packed = encoder.finish().at("compression")?;
    let architecture = architecture(target);
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": { "Entrypoint": [format!("/{NAME}")] },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    });
    let config = blob(blobs, CONFIG, config.to_string().as_bytes())?;
    let layer = blob(blobs, LAYER, &packed)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": [layer],
    });
    let mut manifest = blob(blobs, MANIFEST, manifest.to_string().as_bytes())?;
    manifest["platform"] = json!({ "architecture": architecture, "os": "linux" });
    Ok(manifest)
}

/// In the words of Go, which the specification uses.
fn architecture(target: Target) -> &'static str {
    match target {
        Target::X86_64 => "amd64",
        Target::Aarch64 => "arm64",
        Target::Riscv64 => "riscv64",
    }
}

fn layer(binary: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(binary.len() as u64);
    header.set_mode(0o755);
    header.set_entry_type(tar::EntryType::Regular);
    let mut layer = tar::Builder::new(Vec::new());
    layer.append_data(&mut header, NAME, binary)?;
    layer.into_inner()
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", Digest::of(bytes))
}

/// Writes a blob and gives its descriptor.
fn blob(blobs: &Path, media_type: &str, bytes: &[u8]) -> Result<Value> {
    output::write(&blobs.join(Digest::of(bytes).to_string()), bytes, 0o644)?;
    Ok(json!({ "mediaType": media_type, "digest": digest(bytes), "size": bytes.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_of_a_layout_that_fails() {
        let place = std::env::temp_dir().join(format!("linnet-oci-{}", std::process::id()));
        fs::create_dir_all(&place).expect("a directory");
        let binary = place.join("binary");
        fs::write(&binary, "binary").expect("written");
        let image = place.join("image");
        let both = [(Target::X86_64, binary.clone()), (Target::Riscv64, place.join("missing"))];
        write(&image, &both).expect_err("no second binary");
        assert!(!image.exists());
        fs::create_dir(&image).expect("a directory");
        write(&image, &both).expect_err("no second binary");
        assert_eq!(fs::read_dir(&image).expect("still there").count(), 0);

        // One that was stopped is taken up again.
        fs::create_dir(image.join(BLOBS)).expect("a directory");
        write(&image, &both[..1]).expect("written");
        assert!(image.join("oci-layout").exists());
        write(&image, &both[..1]).expect_err("there is one");
        fs::remove_dir_all(&place).expect("removed");
    }
}
