// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <setjmp.h>
#include <sys/time.h>

static sigjmp_buf back;

static void handler(int signal) { siglongjmp(back, signal); }

static void alarm_soon(void)
{
	CHECK(setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 10000 } }, 0) == 0);
}

static int spin(int unchanged)
{
	if (sigsetjmp(back, 1) == 0) {
		alarm_soon();
		for (;;) __asm__ volatile("");
	}
	return unchanged;
}

static unsigned count(unsigned unchanged)
{
	volatile unsigned rounds = 0;
	if (sigsetjmp(back, 1) == 0) {
		alarm_soon();
		for (;;) rounds++;
	}
	return unchanged;
}

int main(void)
{
	handle(SIGALRM, handler, 0);
	for (int i = 1; i <= 10; i++) {
		CHECK(spin(i) == i);
		CHECK(count(i) == (unsigned)i);
	}
}
