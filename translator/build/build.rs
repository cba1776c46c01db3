//! Gives the library the identity of the translator it is built with, so that cached objects are
//! used only as long as the code that made them is unchanged.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// Everything that decides what the translator emits, relative to the project's root.
const TRANSLATOR: [&str; 4] =
    ["translator/codegen/Cargo.toml", "translator/codegen/src", "runtime/abi/src", "Cargo.lock"];

/// Everything that decides how its output is put together.
const BUILDER: [&str; 1] = ["translator/build/src"];

fn main() -> io::Result<()> {
    println!("cargo:rustc-env=LINNET_TRANSLATOR={}", digest(&TRANSLATOR)?);
    println!("cargo:rustc-env=LINNET_BUILDER={}", digest(&BUILDER)?);
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    #[expect(clippy::disallowed_methods, reason = "Cargo's program, not the user's")]
    let version = Command::new(rustc).arg("--version").output()?.stdout;
    println!("cargo:rustc-env=LINNET_RUSTC={}", String::from_utf8_lossy(&version).trim());
    Ok(())
}

/// SHA-256 over the names and contents of files, in hexadecimal.
fn digest(inputs: &[&str]) -> io::Result<String> {
    let root =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("../..");
    let mut hash = Sha256::new();
    for input in inputs {
        let path = root.join(input);
        println!("cargo:rerun-if-changed={}", path.display());
        for file in files(&path)? {
            let name = file.strip_prefix(&root).unwrap_or(&file);
            hash.update(name.as_os_str().as_encoded_bytes());
            hash.update([0]);
            hash.update(Sha256::digest(fs::read(&file)?));
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// `path` itself, or all files below it in a fixed order.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    let mut all = Vec::new();
    for entry in entries {
        all.extend(files(&entry)?);
    }
    Ok(all)
}
