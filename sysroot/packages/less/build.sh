#!/bin/sh
# usage: SOURCE=FILE SDK=DIR NCURSES=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
uses "$NCURSES"
configure
make -j"$JOBS"
program less
