#!/bin/sh
# A running Linux, with a shell and a program behind a pipe, moves over three CPUs: x86-64, arm64, RISC-V, and back.
set -eu
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

linnet build --frames --with ./files --target x86_64,aarch64,riscv64 -o "$out/vm" >/dev/null

machine() {
	cpu=$1
	shift
	echo "$cpu:"
	if [ "$cpu" = "$(uname -m)" ]; then
		"$out/vm-$cpu" "$@"
	else
		"qemu-$cpu-static" "$out/vm-$cpu" --no-sandbox "$@"
	fi
}

machine x86_64 --freeze-to "$out/snapshot" -- travel
machine aarch64 --resume "$out/snapshot" --freeze-to "$out/snapshot"
machine riscv64 --resume "$out/snapshot" --freeze-to "$out/snapshot"
machine x86_64 --resume "$out/snapshot"
