/* Variadic arguments lie in memory at their own sizes. C programs that include <sys/syscall.h>, and C++, come to
 * __syscall_slots, with their types. What comes to syscall, through a pointer or without that header, has
 * 64-bit arguments where the call takes them, and words otherwise. */
#define _BSD_SOURCE
#include <unistd.h>
#include "syscall.h"
#include <bits/syscall_slots.h>
#include "optional_arguments.h"
#undef syscall

/* The arguments of 64 bits, a bit for each. */
static int wide(long n)
{
	switch (n) {
	case SYS_truncate64: case SYS_ftruncate64: case SYS_readahead: return 1<<1;
	case SYS_fallocate: return 1<<2 | 1<<3;
	case SYS_sync_file_range: case SYS_fadvise64_64: return 1<<1 | 1<<2;
	case SYS_pread64: case SYS_pwrite64: return 1<<3;
	case SYS_fanotify_mark: return 1<<2;
	default: return 0;
	}
}

long syscall(long n, ...)
{
	long long a[6];
	int is_wide = wide(n);
	va_list ap;
	va_start(ap, n);
	for (int i=0; i<6; i++) a[i] = is_wide>>i & 1 ? va_arg(ap, long long) : va_arg(ap, long);
	va_end(ap);
	return __syscall_slots(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* The position of these is two words; a program for 64-bit machines gives it as one. */
static int has_split_position(long n)
{
	return n == SYS_preadv || n == SYS_pwritev || n == SYS_preadv2 || n == SYS_pwritev2;
}

long __syscall_slots(long n, long long a, long long b, long long c, long long d, long long e, long long f)
{
	if (has_split_position(n)) e |= d >> 32;
	return __syscall_ret(__import_syscall(n, a, b, c, d, e, f));
}
