#!/bin/sh
# Compiles a C program to WebAssembly, translates it, and runs it in a machine of its own.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

linnet cc -O2 -Wall -o "$out/hello.wasm" hello.c
linnet boot --with "$out/hello.wasm" -- hello
