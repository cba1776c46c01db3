#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
configure --enable-threads=posix --disable-doc
make -j"$JOBS"
program src/xz/xz
headers src/liblzma/api/lzma.h src/liblzma/api/lzma
libraries src/liblzma/.libs/liblzma.a
pkgconfig src/liblzma/liblzma.pc
