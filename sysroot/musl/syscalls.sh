#!/bin/sh
# usage: syscalls.sh INCLUDE > arch/wasm32/bits/syscall.h.in
#
# The system call numbers of the kernel whose headers are in INCLUDE, under the kernel's names. A call with
# 64-bit times has only the name that says so (clock_gettime64, futex_time64), as on riscv32: where a program
# finds the plain name too, it takes that for the call with times of the size of a long.
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
		number["__NR__llseek"] = number["__NR_llseek"] # as libc says it
		for (name in number) printf "#define %s %d\n", name, number[name]
	}' |
LC_ALL=C sort -k3,3n -k2,2
