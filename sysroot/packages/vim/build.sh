#!/bin/sh
# usage: SOURCE=FILE SDK=DIR NCURSES=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
uses "$NCURSES"
# What configure would find out by running programs of the guest.
export vim_cv_getcwd_broken=no vim_cv_memmove_handles_overlap=yes vim_cv_stat_ignores_slash=no \
	vim_cv_terminfo=yes vim_cv_tgetent=zero vim_cv_toupper_broken=no vim_cv_tty_group=world \
	vim_cv_bcopy_handles_overlap=yes vim_cv_memcpy_handles_overlap=yes
configure --with-features=normal --with-tlib=ncurses --disable-gui --without-x --disable-gpm \
	--disable-netbeans --disable-acl --disable-selinux
make -C src -j"$JOBS" vim
program src/vim
# Without the manual, the tutor, dictionaries and translations: two thirds of it.
mkdir -p "$out/root/usr/share/vim"
cp -R runtime "$out/root/usr/share/vim/vim90"
for part in doc lang spell tutor; do rm -r "$out/root/usr/share/vim/vim90/$part"; done
