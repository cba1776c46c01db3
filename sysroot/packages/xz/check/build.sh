#!/bin/sh
# usage: SOURCE=FILE SDK=DIR PACKAGE=DIR build.sh OUT WORK
. "${0%/*}/../../common.sh"
configure --enable-threads=posix --disable-doc gl_cv_posix_shell=/bin/sh
make -j"$JOBS"
# Builds the programs and runs nothing.
make -C tests -j"$JOBS" check TESTS=
rm tests/*.o
check config.h tests
mkdir -p "$out/root/check/src/xz" "$out/root/check/src/xzdec"
ln -s /usr/bin/xz "$out/root/check/src/xz/xz"
cp src/xzdec/xzdec "$out/root/check/src/xzdec/"
mkdir -p "$out/root/check/src/scripts"
cp src/scripts/xzdiff src/scripts/xzgrep "$out/root/check/src/scripts/"
