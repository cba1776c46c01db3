#!/bin/sh
# usage: SOURCE=FILE SDK=DIR PACKAGE=DIR build.sh OUT WORK
. "${0%/*}/../../common.sh"
cd tests
# They ask for no more than this of what configure finds.
flags="-std=gnu89 -I.. -I../include -DHAVE_UNISTD_H -DHAVE_STRING_H -DHAVE_STDLIB_H"
touch ../config.h
for name in recho zecho printenv xcase; do $cc $cflags $flags -o "$name" "../support/$name.c" $ldflags; done
cd ..
# A test copies these three, whatever they hold.
cp config.h.in config.h
cp version.c version.h
$cc $cflags -o terminal "$recipe/../../terminal.c" $ldflags
check tests terminal config.h version.h y.tab.c "$recipe/each" "$recipe/known"
