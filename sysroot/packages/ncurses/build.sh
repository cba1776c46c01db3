#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
configure --enable-widec --without-ada --without-cxx --without-cxx-binding --without-debug \
	--without-manpages --without-tests --with-build-cc=gcc --enable-pc-files \
	--with-default-terminfo-dir=/usr/share/terminfo --with-fallbacks=vt100,xterm,xterm-256color,linux \
	--disable-db-install --enable-overwrite --with-tic-path="$(command -v tic)" \
	--with-infocmp-path="$(command -v infocmp)"
make -j"$JOBS" libs
make -C progs -j"$JOBS"
for name in tput tset clear infocmp; do program progs/$name; done
headers include/curses.h include/ncurses_dll.h include/term.h include/termcap.h include/unctrl.h \
	include/panel.h include/menu.h include/form.h include/eti.h 2>/dev/null || headers include/*.h
# The names that its own installation makes besides.
cp "$out/dev/include/curses.h" "$out/dev/include/ncurses.h"
mkdir "$out/dev/include/ncursesw" "$out/dev/include/ncurses"
for directory in ncurses ncursesw; do cp "$out/dev/include/"*.h "$out/dev/include/$directory/"; done
libraries lib/*.a
for name in ncurses tinfo curses; do cp "$out/dev/lib/libncursesw.a" "$out/dev/lib/lib$name.a"; done
describe ncurses ncursesw tinfo panelw menuw formw
# Descriptions are the same for every machine.
mkdir -p "$out/root/usr/share/terminfo"
tic -x -o "$out/root/usr/share/terminfo" \
	-e ansi,dumb,linux,rxvt,screen,screen-256color,tmux,tmux-256color,vt100,vt220,xterm,xterm-256color \
	misc/terminfo.src
