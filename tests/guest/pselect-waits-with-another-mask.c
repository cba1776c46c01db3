// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/select.h>

static volatile sig_atomic_t handled;

static void handle(int signal)
{
	handled = signal;
}

int main(void)
{
	int fds[2];
	fd_set set;
	sigset_t blocked, none, found;
	const struct timespec short_time = { .tv_nsec = 5000000 };
	CHECK(pipe(fds) == 0);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	CHECK(signal(SIGUSR1, handle) != SIG_ERR);
	CHECK(sigprocmask(SIG_SETMASK, &blocked, 0) == 0);

	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	CHECK(pselect(fds[0] + 1, &set, 0, 0, &short_time, &none) == 0 && !FD_ISSET(fds[0], &set));
	CHECK(raise(SIGUSR1) == 0 && handled == 0);
	FD_SET(fds[0], &set);
	CHECK(pselect(fds[0] + 1, &set, 0, 0, 0, &none) == -1 && errno == EINTR && handled == SIGUSR1);
	CHECK(sigprocmask(SIG_SETMASK, 0, &found) == 0 && sigismember(&found, SIGUSR1) == 1);
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK(pselect(fds[0] + 1, &set, 0, 0, 0, &none) == 1 && FD_ISSET(fds[0], &set));
}
