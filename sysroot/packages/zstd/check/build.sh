#!/bin/sh
# usage: SOURCE=FILE SDK=DIR PACKAGE=DIR build.sh OUT WORK
. "${0%/*}/../../common.sh"
# The library under test asserts what it assumes. The makefile has better ideas of what to optimise.
cflags="-O2 -w -ffunction-sections -fdata-sections"
make -C tests -j"$JOBS" CC="$cc" AR=llvm-ar-19 CFLAGS="$cflags" LDFLAGS="$ldflags" DEBUGLEVEL=1 \
	HAVE_THREAD=1 HAVE_ZLIB=0 HAVE_LZMA=0 HAVE_LZ4=0 UNAME=Linux \
	datagen fuzzer zstreamtest invalidDictionaries legacy decodecorpus poolTests
# The script trains dictionaries with the sources, which it finds from its place in the source tree.
mkdir -p "$out/root/check/programs"
cp programs/*.[ch] "$out/root/check/programs/"
rm -r tests/*.o tests/fuzz
cp -R tests "$out/root/check/"
