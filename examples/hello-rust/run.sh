#!/bin/sh
# Compiles a Rust program and Rust's standard library for the guest, and runs it in a machine of its own.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

rustup component add rust-src >&2
../../sysroot/rust/prepare.sh "$out" >&2
"$out/cargo" build --quiet --release --target-dir "$out/target"
linnet boot --with "$out/target/wasm32-linnet-linux-musl/release/hello-rust.wasm" -- hello-rust
