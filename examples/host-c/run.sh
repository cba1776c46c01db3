#!/bin/sh
# Debian's zlib, compiled to WebAssembly and translated, becomes part of a program in C.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# The support library.
root=../..
cargo build --quiet --release --manifest-path "$root/Cargo.toml" -p linnet-embed
support=$root/target/release/liblinnet_embed.a

# A module without an operating system and a C library: what it exports is what the host may call.
export LINNET_WITH=zlib
linnet cc -O2 -g -nostdlib -Wl,--no-entry,--export-memory,-z,stack-size=65536 \
	-Wl,--export=malloc,--export=compress,--export=compressBound,--export=uncompress,--export=crc32 \
	-o "$out/zlib.wasm" malloc.c -lz

linnet compile "$out/zlib.wasm" --header "$out/zlib.h" -o "$out/zlib.o"
cc -O2 -Wall -I"$out" -o "$out/host" host.c "$out/zlib.o" "$support" -lm
# Where in the module an instruction is depends on the compiler's version.
"$out/host" | sed "s/offset 0x.*/offset .../"
