#!/bin/sh
# build-debug.sh OUT WORK: builds, as build.sh does, the kernel that tests itself
# when it boots and checks itself all the time.
DEBUG=y exec "$(dirname "$0")/build.sh" "$@"
