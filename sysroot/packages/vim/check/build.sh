#!/bin/sh
# usage: SOURCE=FILE SDK=DIR PACKAGE=DIR build.sh OUT WORK
. "${0%/*}/../../common.sh"
# Tests look at files of the source tree, at the manual, and at what else the package leaves out.
mkdir -p "$out/root/check/src" "$out/root/usr/share/vim/vim90"
cp -R src/testdir src/*.[ch] src/xxd "$out/root/check/src/"
ln -s /usr/share/vim/vim90 "$out/root/check/runtime"
ln -s /usr/bin/vim "$out/root/check/src/vim"
for part in doc lang spell tutor; do cp -R "runtime/$part" "$out/root/usr/share/vim/vim90/"; done
(cd src/xxd && $cc $cflags -o xxd xxd.c $ldflags)
cp src/xxd/xxd "$out/root/check/src/xxd/"
$cc $cflags -o terminal "$recipe/../../terminal.c" $ldflags
check terminal "$recipe/each" "$recipe/known"
