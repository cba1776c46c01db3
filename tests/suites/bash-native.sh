#!/bin/sh
# usage: SOURCE=bash.tar.gz CC=COMPILER [JOBS=N] bash-native.sh WORK
#
# Makes in WORK, which is emptied, bash for this machine with the C library of the guest, configured as
# sysroot/packages/bash does; and WORK/tests.tar, its tests.
set -eu
rm -rf "$1"
mkdir -p "$1"
cd "$1"
tar xf "$SOURCE" --strip-components=1
./configure --prefix=/usr --disable-nls --without-bash-malloc bash_cv_func_strtoimax=no CC="$CC" \
	CFLAGS="-O2 -DNDEBUG -w -std=gnu89 -Wno-implicit-function-declaration"
make -j"${JOBS:-1}" bash
tar cf tests.tar tests
