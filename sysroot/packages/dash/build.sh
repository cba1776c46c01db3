#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
if ! [ -x configure ]; then ./autogen.sh; fi
configure
make -j"$JOBS"
program src/dash
