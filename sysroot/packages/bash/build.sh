#!/bin/sh
# usage: SOURCE=FILE SDK=DIR build.sh OUT WORK
. "${0%/*}/../common.sh"
# Parts of bash call functions that they do not declare, as C did before 1999.
cflags="$cflags -std=gnu89 -Wno-implicit-function-declaration"
# What configure would find out by running programs of the guest.
configure --without-bash-malloc bash_cv_job_control_missing=present bash_cv_sys_named_pipes=present \
	bash_cv_func_sigsetjmp=present bash_cv_getcwd_malloc=yes bash_cv_printf_a_format=yes \
	bash_cv_ulimit_maxfds=yes bash_cv_unusable_rtsigs=no bash_cv_func_strtoimax=no \
	bash_cv_wexitstatus_offset=8 bash_cv_dev_fd=standard bash_cv_dev_stdin=present
make -j"$JOBS" bash
program bash
# Where scripts look for it.
mkdir -p "$out/root/bin"
ln -s ../usr/bin/bash "$out/root/bin/bash"
