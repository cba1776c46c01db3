#!/bin/sh
# build.sh OUT WORK: builds the kernel.
#
# OUT gets vmlinux.wasm and config; WORK is for source and objects, and makes
# the next build short. From the environment: SOURCE, the archive of Linux;
# JOBS, how many compilers run at once; PAGE_SIZE, 4, 16 or 64 (KiB); DEBUG,
# if not empty, for the kernel that checks itself.
set -eu

OUT=${1:?OUT WORK}
WORK=${2:?OUT WORK}
. "$(dirname "$0")/tree.sh"

build=$WORK/build
mkdir -p "$OUT" "$build"

{
	cat "$here/configs/linnet_defconfig"
	[ -z "${DEBUG:-}" ] || cat "$here/configs/debug.config"
	echo "CONFIG_PAGE_SIZE_${PAGE_SIZE:-16}KB=y"
} > "$build/allconfig"
kmake O="$build" KCONFIG_ALLCONFIG="$build/allconfig" allnoconfig
echo "Options that this version of Linux has under another name, or not any more:"
grep "^CONFIG_.*=[^n]" "$build/allconfig" | grep -vxFf "$build/.config" || echo none
# modpost writes it of ELF, and for modules at that; Linux 7.3 wants it always.
[ -f "$build/.vmlinux.export.c" ] || : > "$build/.vmlinux.export.c"
kmake O="$build" -j"${JOBS:-$(nproc)}" vmlinux

cp "$build/.config" "$OUT/config"
cp "$build/vmlinux" "$OUT/vmlinux.wasm"
