// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <setjmp.h>

static sigjmp_buf outer, inner;

static pid_t forks(int depth)
{
	if (depth) return forks(depth - 1) + 0;
	pid_t pid = fork();
	CHECK(pid >= 0);
	siglongjmp(inner, pid == 0 ? 1 : 2);
}

int main(void)
{
	volatile int steps = 0;
	int who = sigsetjmp(outer, 1);
	if (who == 0) {
		int jumped = sigsetjmp(inner, 1);
		if (jumped == 0) forks(20);
		steps += jumped;
		siglongjmp(outer, jumped);
	}
	CHECK(steps == who);
	if (who == 1) _exit(3);
	int status;
	CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 3);
}
