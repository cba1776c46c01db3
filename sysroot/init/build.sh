#!/bin/sh
# usage: SDK=DIR build.sh OUT WORK
#
# Makes OUT/init.wasm. DIR is what musl/build.sh made; WORK is not used.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
clang-19 --config="$SDK/sdk/linnet.cfg" -Os -Wall -Wextra -Werror -Wl,--fatal-warnings,--strip-debug \
	-o "$1/init.wasm" "$here/init.c" "$here/setup.c" "$here/shares.c" "$here/shutdown.c"
