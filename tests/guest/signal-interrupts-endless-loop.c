// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/time.h>

static volatile sig_atomic_t count;

static void handler(int signal) { count += signal == SIGALRM; }

int main(void)
{
	unsigned long rounds = 0;
	struct itimerval timer = { { 0, 2000 }, { 0, 2000 } };
	handle(SIGALRM, handler, 0);
	CHECK(setitimer(ITIMER_REAL, &timer, 0) == 0);
	while (count < 20) rounds++;
	CHECK(rounds > 0);
}
