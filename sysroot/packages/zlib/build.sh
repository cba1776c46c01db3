#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
CC="$cc" AR=llvm-ar-19 RANLIB=llvm-ranlib-19 CFLAGS="$cflags" ./configure --static --prefix=/usr
make -j"$JOBS" libz.a minigzip
program minigzip
headers zlib.h zconf.h
libraries libz.a
pkgconfig zlib.pc
