#!/bin/sh
# build-4k.sh OUT WORK: builds, as build.sh does, a kernel with pages of 4 KiB.
PAGE_SIZE=4 exec "$(dirname "$0")/build.sh" "$@"
