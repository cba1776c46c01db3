#!/bin/sh
# usage: SOURCE=musl.tar.gz HEADERS=DIR [JOBS=N] build.sh OUT WORK
#
# Makes OUT/sysroot (libc, its headers, the kernel's headers from DIR/include, the compiler's
# run-time library) and OUT/sdk, which finds it: the two may be moved together.
# WORK is emptied and used for the build. No file of musl is edited: this port adds files, puts its
# own setjmp.h in the place of musl's, and takes the place of configure.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
rm -rf "$2" "$out/sysroot" "$out/sdk"
mkdir -p "$2" "$out/sysroot"
work=$(cd "$2" && pwd)

tar xf "$SOURCE" -C "$work" --strip-components=1
for part in arch src crt include config.mak; do cp -R "$here/$part" "$work/"; done
"$here/syscalls.sh" "$HEADERS/include" > "$work/arch/wasm32/bits/syscall.h.in"

# libc's own headers come second: it has better ones for a few of the kernel's names.
cp -R "$HEADERS/include" "$out/sysroot/"
make -s -C "$work" -j"${JOBS:-1}" prefix="$out/sysroot" all install
cp "$(clang-19 --target=wasm32-wasi -print-libgcc-file-name)" "$out/sysroot/lib/libclang_rt.builtins.a"
cp -R "$here/../sdk" "$out/sdk"
