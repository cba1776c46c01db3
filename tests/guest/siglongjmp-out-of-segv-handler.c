// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handler(int signal) { siglongjmp(back, signal); }

int main(void)
{
	handle(SIGSEGV, handler, 0);
	for (volatile int i = 0; i < 100; i++) {
		int got = sigsetjmp(back, 1);
		if (got == 0) {
			*(volatile int *)8 = 1;
			CHECK(!"reached");
		}
		CHECK(got == SIGSEGV);
	}
}
