#!/bin/sh
# usage: SOURCE=FILE SDK=DIR NCURSES=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
uses "$NCURSES"
configure --enable-utf8 --disable-libmagic
make -j"$JOBS"
program src/nano
