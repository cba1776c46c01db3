#!/bin/sh
# usage: syscalls.sh INCLUDE > arch/wasm32/bits/syscall.h.in
#
# The system call numbers of the kernel whose headers are in INCLUDE, under the names that libc and
# programs use: every structure of this libc has 64-bit times, so a call that the kernel names
# x_time64 (or clock_x64, timer_x64, timerfd_x64) is plain x too.
set -eu
echo '#include <asm/unistd.h>' |
clang-19 --target=wasm32-unknown-unknown -nostdinc -isystem "$1" -E -dM - |
awk '
	/^#define __NR/ { value[$2] = $3 }
	END {
		for (name in value) {
			v = value[name]
			while (v in value) v = value[v]
			if (name ~ /^__NR3264|^__NR_syscalls$|arch_specific/ || v !~ /^[0-9]+$/) continue
			number[name] = v
		}
		for (name in number) {
			plain = name
			if (!sub(/_time64$/, "", plain) &&
			    !(name ~ /^__NR_(clock|timer|timerfd)_/ && sub(/64$/, "", plain))) continue
			if (!(plain in number)) alias[plain] = number[name]
		}
		for (name in alias) number[name] = alias[name]
		number["__NR__llseek"] = number["__NR_llseek"] # as libc says it
		for (name in number) printf "#define %s %d\n", name, number[name]
	}' |
LC_ALL=C sort -k3,3n -k2,2
