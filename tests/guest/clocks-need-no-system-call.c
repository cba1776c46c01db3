// SPDX-License-Identifier: MIT OR Apache-2.0
// A process that may only read, write and exit is killed by any other system call.
#include "test.h"
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/time.h>

static void confine(void)
{
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
}

static void asks_the_kernel(void)
{
	confine();
	syscall(SYS_getppid);
	syscall(SYS_exit, 0);
}

static void asks_the_clocks(void)
{
	struct timespec last = { 0 }, now;
	struct timeval day;
	confine();
	for (int i = 0; i < 1000; i++) {
		if (clock_gettime(CLOCK_MONOTONIC, &now) || now.tv_sec < last.tv_sec) syscall(SYS_exit, 1);
		last = now;
	}
	if (clock_gettime(CLOCK_REALTIME, &now) || clock_gettime(CLOCK_BOOTTIME, &last)) syscall(SYS_exit, 2);
	if (gettimeofday(&day, 0) || day.tv_sec < now.tv_sec || time(0) < now.tv_sec) syscall(SYS_exit, 3);
	syscall(SYS_exit, 0);
}

int main(void)
{
	CHECK(died_of(status_of(asks_the_kernel), SIGKILL));
	CHECK(passed(status_of(asks_the_clocks)));
}
