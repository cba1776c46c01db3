#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
make -C programs -j"$JOBS" CC="$cc" AR=llvm-ar-19 CFLAGS="$cflags" LDFLAGS="$ldflags" \
	HAVE_THREAD=1 HAVE_ZLIB=0 HAVE_LZMA=0 HAVE_LZ4=0 UNAME=Linux zstd
make -C lib -j"$JOBS" CC="$cc" AR=llvm-ar-19 CFLAGS="$cflags" UNAME=Linux libzstd.a
program programs/zstd
headers lib/zstd.h lib/zdict.h lib/zstd_errors.h
libraries lib/libzstd.a
make -C lib UNAME=Linux libzstd.pc
pkgconfig lib/libzstd.pc
