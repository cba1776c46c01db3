#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
# What Lua's makefile calls "linux", without dynamic loading and readline.
make -C src -j"$JOBS" CC="$cc" AR="llvm-ar-19 rcu" RANLIB=llvm-ranlib-19 \
	MYCFLAGS="$cflags -DLUA_USE_POSIX" MYLDFLAGS="$ldflags" all
program src/lua
program src/luac
headers src/lua.h src/luaconf.h src/lualib.h src/lauxlib.h
libraries src/liblua.a
describe lua
