#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
make -j"$JOBS" CC="$cc" AR=llvm-ar-19 RANLIB=llvm-ranlib-19 \
	CFLAGS="$cflags -D_FILE_OFFSET_BITS=64" LDFLAGS="$ldflags" libbz2.a bzip2 bzip2recover
program bzip2
program bzip2recover
headers bzlib.h
libraries libbz2.a
describe bz2
