// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handler(int signal) { siglongjmp(back, signal); }

int main(void)
{
	sigset_t mask;
	handle(SIGUSR1, handler, 0);
	for (volatile int i = 0; i < 100; i++) {
		int got = sigsetjmp(back, 1);
		if (got == 0) {
			raise(SIGUSR1);
			CHECK(!"reached");
		}
		CHECK(got == SIGUSR1);
		CHECK(sigprocmask(SIG_BLOCK, 0, &mask) == 0 && !sigismember(&mask, SIGUSR1));
	}
	if (sigsetjmp(back, 0) == 0) raise(SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, 0, &mask) == 0 && sigismember(&mask, SIGUSR1));
}
