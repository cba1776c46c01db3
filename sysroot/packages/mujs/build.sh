#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
make -j"$JOBS" CC="$cc" AR=llvm-ar-19 HAVE_READLINE=no CFLAGS="$cflags" LDFLAGS="$ldflags" \
	build/release/mujs build/release/libmujs.a
program build/release/mujs
headers mujs.h
libraries build/release/libmujs.a
describe mujs
