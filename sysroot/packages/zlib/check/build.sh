#!/bin/sh
# usage: SOURCE=FILE SDK=DIR PACKAGE=DIR build.sh OUT WORK
. "${0%/*}/../../common.sh"
uses "$PACKAGE"
for name in example minigzip; do
	$cc $cflags -o "$name" "test/$name.c" $ldflags -lz
	$cc $cflags -D_FILE_OFFSET_BITS=64 -o "${name}64" "test/$name.c" $ldflags -lz
	check "$name" "${name}64"
done
# Needs parts of the library that its header does not show, and asserts.
$cc -O2 -w -idirafter . -o infcover test/infcover.c $ldflags -lz
check infcover
