// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/time.h>

static volatile sig_atomic_t count;

static void handler(int signal)
{
	volatile double scratch[64];
	(void)signal;
	for (int i = 0; i < 64; i++) scratch[i] = i * 1.5;
	count += scratch[2] == 3.0;
}

// A leaf with a small frame may use the memory below the stack pointer.
__attribute__((noinline)) static unsigned mix(unsigned seed)
{
	volatile unsigned words[16];
	double sum = 0;
	for (int i = 0; i < 16; i++) words[i] = seed += 7 * i;
	for (int i = 0; i < 16; i++) sum += words[i];
	return (unsigned)sum;
}

int main(void)
{
	unsigned expected = mix(1);
	struct itimerval timer = { { 0, 300 }, { 0, 300 } };
	handle(SIGALRM, handler, SA_RESTART);
	CHECK(setitimer(ITIMER_REAL, &timer, 0) == 0);
	while (count < 100) CHECK(mix(1) == expected);
}
