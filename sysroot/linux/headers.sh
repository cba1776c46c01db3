#!/bin/sh
# headers.sh OUT WORK: installs the kernel's headers for programs in OUT/include.
# See build.sh for WORK and SOURCE.
set -eu

OUT=${1:?OUT WORK}
WORK=${2:?OUT WORK}
. "$(dirname "$0")/tree.sh"

mkdir -p "$OUT" "$WORK/headers"
kmake O="$WORK/headers" headers_install INSTALL_HDR_PATH="$(cd "$OUT" && pwd)"
