#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
configure --disable-tcl --disable-readline --disable-load-extension
make -j"$JOBS" libsqlite3.la sqlite3
program sqlite3
headers sqlite3.h sqlite3ext.h
libraries .libs/libsqlite3.a
pkgconfig sqlite3.pc
