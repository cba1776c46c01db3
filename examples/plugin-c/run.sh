#!/bin/sh
# A plug-in in WebAssembly has a deadline, a budget and a limit of memory.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# Any compiler for WebAssembly makes such a module.
linnet cc -O2 -nostdlib -Wl,--no-entry,-z,stack-size=65536 -o "$out/plugin.wasm" plugin.c

# The library needs nothing else of Linnet's.
linnet compile "$out/plugin.wasm" --interruptible -o "$out/libplugin.a" --header "$out/plugin.h"
cc -O2 -Wall -I"$out" -o "$out/host" host.c "$out/libplugin.a" -lm -lpthread
"$out/host"
