// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/select.h>

static volatile int caught;

static void catch(int signal)
{
	caught += signal == SIGUSR1;
}

int main(void)
{
	sigset_t blocked, none;
	int ends[2];
	char byte = 0;

	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &blocked, 0) == 0);
	handle(SIGUSR1, catch, SA_RESTART);
	CHECK(pipe(ends) == 0);

	fd_set set;
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	CHECK(raise(SIGUSR1) == 0 && caught == 0);
	CHECK(pselect(ends[0] + 1, &set, 0, 0, 0, &none) == -1 && errno == EINTR && caught == 1);

	// The signal stays blocked in between.
	CHECK(raise(SIGUSR1) == 0 && caught == 1);
	CHECK(write(ends[1], &byte, 1) == 1);
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	CHECK(pselect(ends[0] + 1, &set, 0, 0, 0, &blocked) == 1 && FD_ISSET(ends[0], &set) && caught == 1);
	CHECK(read(ends[0], &byte, 1) == 1);

	struct timespec moment = { 0, 1000000 };
	CHECK(pselect(ends[0] + 1, &set, 0, 0, &moment, &blocked) == 0 && caught == 1);
	CHECK(pselect(0, 0, 0, 0, &moment, &none) == -1 && errno == EINTR && caught == 2);
}
