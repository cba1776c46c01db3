// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <setjmp.h>
#include <sys/time.h>

static sigjmp_buf back;
static volatile int forever = 1;

static void handler(int signal) { siglongjmp(back, signal); }

int main(void)
{
	handle(SIGALRM, handler, 0);
	for (volatile int i = 0; i < 10; i++) {
		if (sigsetjmp(back, 1)) continue;
		CHECK(setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 1000 } }, 0) == 0);
		while (forever);
	}
}
