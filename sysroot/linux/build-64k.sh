#!/bin/sh
# build-64k.sh OUT WORK: builds, as build.sh does, a kernel with pages of 64 KiB.
PAGE_SIZE=64 exec "$(dirname "$0")/build.sh" "$@"
