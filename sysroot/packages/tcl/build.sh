#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
cd unix
# What configure would find out by running programs of the guest.
configure --disable-load --disable-rpath ac_cv_func_memcmp_working=yes tcl_cv_strstr_unbroken=ok \
	tcl_cv_strtoul_unbroken=ok tcl_cv_strtod_unbroken=ok tcl_cv_strtod_buggy=ok
make -j"$JOBS" tclsh
program tclsh
# Without the time zones, of which there are hundreds.
make install-libraries INSTALL_ROOT="$out/root"
headers ../generic/tcl*.h
libraries libtcl8.6.a libtclstub8.6.a tclConfig.sh
pkgconfig tcl.pc
