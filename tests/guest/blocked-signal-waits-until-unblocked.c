// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile int count;

static void handler(int signal) { count += signal == SIGUSR1; }

int main(void)
{
	sigset_t mask, old;
	handle(SIGUSR1, handler, 0);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &mask, &old) == 0);
	raise(SIGUSR1);
	raise(SIGUSR1);
	CHECK(count == 0 && sigpending(&mask) == 0 && sigismember(&mask, SIGUSR1));
	CHECK(sigsuspend(&old) == -1 && errno == EINTR && count == 1);
	CHECK(sigprocmask(SIG_SETMASK, &old, 0) == 0 && count == 1);
}
