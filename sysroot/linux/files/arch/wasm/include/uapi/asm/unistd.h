/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#include <asm/unistd_32.h>

/* For the time zone; the time itself is set by clock_settime64. */
#define __NR_settimeofday 170
