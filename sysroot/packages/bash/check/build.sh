#!/bin/sh
# usage: SOURCE=FILE SDK=DIR PACKAGE=DIR build.sh OUT WORK
. "${0%/*}/../../common.sh"
cd tests
for name in recho zecho printenv xcase; do $cc $cflags -std=gnu89 -o $name ../support/$name.c $ldflags; done
cd ..
check tests
