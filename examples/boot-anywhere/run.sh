#!/bin/sh
# Builds the same system for three CPUs and boots each: here if it is for this machine, or else under
# QEMU's user mode emulation.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

linnet build --target x86_64,aarch64,riscv64 -o "$out/vm" >/dev/null
for cpu in x86_64 aarch64 riscv64; do
	if [ "$cpu" = "$(uname -m)" ]; then emulator=; else emulator=qemu-$cpu-static; fi
	echo "$cpu:"
	$emulator "$out/vm-$cpu" --memory 256M -- sh -c 'seq 1 10000 | sha256sum; uname -s'
done
