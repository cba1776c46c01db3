/* As musl's own, but the kernel reads the mask's place and size as two words, and musl writes two
 * arguments of a system call, which have 64 bits here. */
#include <signal.h>
#include <stdint.h>
#include <sys/select.h>
#include "syscall.h"

int pselect(int n, fd_set *restrict readable, fd_set *restrict writable, fd_set *restrict exceptional,
	const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
	unsigned long set[2] = { (uintptr_t)mask, _NSIG / 8 };
	long long time[2] = { 0 };

	if (timeout) {
		time[0] = timeout->tv_sec;
		time[1] = timeout->tv_nsec;
	}
	return syscall_cp(SYS_pselect6_time64, n, readable, writable, exceptional, timeout ? time : 0, set);
}
