#!/bin/sh
# usage: SDK=DIR build.sh OUT WORK
#
# Makes OUT/init.wasm and OUT/getconf.wasm. DIR is what musl/build.sh made. WORK holds
# the names that its headers have.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
clang-19 --config="$SDK/sdk/linnet.cfg" -Os -Wall -Wextra -Werror -Wl,--fatal-warnings,--strip-debug \
	-o "$1/init.wasm" "$here/init.c" "$here/setup.c" "$here/shares.c" "$here/shutdown.c"

names='s/^#define[[:space:]]*_SC_\([A-Z0-9_]*\)[[:space:]].*/SYSTEM("\1", _SC_\1)/p
s/^#define[[:space:]]*_PC_\([A-Z0-9_]*\)[[:space:]].*/PATH("\1", _PC_\1)/p
s/^#define[[:space:]]*_CS_\([A-Z0-9_]*\)[[:space:]].*/TEXT("\1", _CS_\1)/p'
sed -n "$names" "$SDK/sysroot/include/unistd.h" >"$2/names.h"
clang-19 --config="$SDK/sdk/linnet.cfg" -Os -Wall -Wextra -Werror -Wl,--fatal-warnings,--strip-debug -I"$2" \
	-o "$1/getconf.wasm" "$here/getconf.c"
