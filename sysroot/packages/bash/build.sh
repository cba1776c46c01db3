#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
configure --without-bash-malloc
make -j"$JOBS" bash
program bash
