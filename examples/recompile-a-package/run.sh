#!/bin/sh
# One archive with bash and SQLite, in WebAssembly, becomes a native boot binary for each of three CPUs.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# Whoever makes the package: once, for all.
linnet pack bash,sqlite,./files -o "$out/package.tar.gz"

# Whoever uses it: on any machine, for any of them.
linnet build --with "$out/package.tar.gz" --target x86_64,aarch64,riscv64 -o "$out/vm" >/dev/null
for cpu in x86_64 aarch64 riscv64; do
	if [ "$cpu" = "$(uname -m)" ]; then emulator=; else emulator=qemu-$cpu-static; fi
	echo "$cpu:"
	$emulator "$out/vm-$cpu" -- planets
done
