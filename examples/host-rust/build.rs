//! Links the object that run.sh has made of the module.

use std::env;

fn main() {
    println!("cargo::rerun-if-env-changed=ZLIB");
    let directory = env::var("ZLIB").expect("the directory with zlib.o and zlib.rs");
    println!("cargo::rerun-if-changed={directory}");
    println!("cargo::rustc-link-arg={directory}/zlib.o");
}
