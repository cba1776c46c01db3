#!/bin/sh
# usage: SOURCE=busybox.tar.bz2 SDK=DIR [JOBS=N] build.sh OUT WORK
#
# Makes OUT/busybox.wasm and OUT/links, the paths of its applets. DIR is what musl/build.sh made.
# WORK is emptied and used for the build.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sdk=$(cd "$SDK/sdk" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2"
cd "$2"

tar xf "$SOURCE" --strip-components=1
# Without a time stamp the same sources make the same file.
export KCONFIG_NOTIMESTAMP=1
make -s defconfig
grep -o '^CONFIG_[A-Z0-9_]*' "$here/settings" > changed
grep -v -w -F -f changed .config > config.base
cat config.base "$here/settings" > .config
yes '' | make -s oldconfig

make -s -j"${JOBS:-1}" \
	CC="clang-19 --config=$sdk/linnet.cfg -w" LD="$sdk/ld" HOSTCFLAGS=-w \
	AR=llvm-ar-19 NM=llvm-nm-19 RANLIB=llvm-ranlib-19 STRIP=llvm-strip-19 OBJCOPY=llvm-objcopy-19 \
	SKIP_STRIP=y EXTRA_LDFLAGS=-Wl,--fatal-warnings,--strip-debug \
	busybox_unstripped busybox.links
cp busybox_unstripped "$out/busybox.wasm"
cp busybox.links "$out/links"
