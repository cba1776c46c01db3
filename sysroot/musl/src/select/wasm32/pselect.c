#include <sys/select.h>
#include <signal.h>
#include "syscall.h"

/* The kernel reads the mask's address and size as two words of a pointer's width. musl writes them as
 * wide as the arguments of a system call, which here are wider. */
int pselect(int n, fd_set *restrict read, fd_set *restrict write, fd_set *restrict except,
	const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
	unsigned long argument[] = { (unsigned long)mask, _NSIG / 8 };
	long long limit[2];
	if (timeout) {
		limit[0] = timeout->tv_sec;
		limit[1] = timeout->tv_nsec;
	}
	return syscall_cp(SYS_pselect6_time64, n, read, write, except, timeout ? limit : 0, argument);
}
