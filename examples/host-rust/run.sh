#!/bin/sh
# Debian's zlib, compiled to WebAssembly and translated, becomes part of a program in Rust.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# A module without an operating system and a C library: what it exports is what the host may call.
export LINNET_WITH=zlib
linnet cc -O2 -g -nostdlib -Wl,--no-entry,--export-memory,-z,stack-size=65536 \
	-Wl,--export=malloc,--export=compress,--export=compressBound,--export=uncompress,--export=crc32 \
	-o "$out/zlib.wasm" ../host-c/malloc.c -lz

linnet compile "$out/zlib.wasm" --rust "$out/zlib.rs" -o "$out/zlib.o"
ZLIB=$out cargo build --quiet --release --locked --target-dir "$out/target"
# Where in the module an instruction is depends on the compiler's version.
"$out/target/release/host" | sed "s/offset 0x.*/offset .../"
