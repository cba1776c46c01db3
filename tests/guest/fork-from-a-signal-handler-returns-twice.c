// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile pid_t child = -1;
static volatile int depth;

static void inner(int signal)
{
	(void)signal;
	child = fork();
	depth++;
}

static void outer(int signal)
{
	(void)signal;
	raise(SIGUSR2);
	depth++;
}

int main(void)
{
	volatile int local = 42;
	handle(SIGUSR1, outer, 0);
	handle(SIGUSR2, inner, 0);
	raise(SIGUSR1);
	// Both come back through both handlers, and have the mask from before them.
	sigset_t mask;
	CHECK(local == 42 && depth == 2 && child >= 0);
	CHECK(sigprocmask(SIG_BLOCK, 0, &mask) == 0 && !sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));
	if (child == 0) _exit(7);
	int status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);

	// A handler that interrupts a loop without calls.
	depth = 0;
	handle(SIGALRM, inner, 0);
	ualarm(10000, 0);
	while (depth == 0);
	if (child == 0) _exit(8);
	status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 8);
}
