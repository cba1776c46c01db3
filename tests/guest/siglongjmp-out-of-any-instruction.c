// SPDX-License-Identifier: MIT OR Apache-2.0
// What goes wrong stands in the function that called sigsetjmp, with no call after it.
#include "test.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int zero;
static int *volatile nowhere = (int *)8;

static void handler(int signal) { siglongjmp(back, signal); }

static int load(int unchanged)
{
	int got = sigsetjmp(back, 1);
	if (got) return got + unchanged;
	return *nowhere;
}

static int divide(int unchanged)
{
	int got = sigsetjmp(back, 1);
	if (got) return got + unchanged;
	return unchanged / zero;
}

static int trap(int unchanged)
{
	int got = sigsetjmp(back, 1);
	if (got) return got + unchanged;
	__builtin_trap();
}

static int clear(int unchanged, size_t size)
{
	int got = sigsetjmp(back, 1);
	if (got) return got + unchanged;
	__builtin_memset(nowhere, 0, size);
	return 0;
}

// Every round jumps back from another depth of nested blocks.
static int nested(int unchanged, double fraction)
{
	volatile int round = 0;
	int got = sigsetjmp(back, 1);
	if (got) CHECK(got == SIGSEGV);
	round++;
	for (int i = 0; i < round; i++) {
		if (round == 1) {
			*nowhere = i;
		} else if (i == 1) {
			for (int j = 0; j < 3; j++) {
				if (round == 2 && j == 2) *nowhere = j;
				if (round == 3) return *nowhere + (round == 3 ? nowhere[j] : 0);
			}
		}
		if (round == 4) return fraction == 0.25 ? unchanged : 0;
	}
	CHECK(!"reached");
}

int main(void)
{
	handle(SIGSEGV, handler, 0);
	handle(SIGFPE, handler, 0);
	handle(SIGILL, handler, 0);
	for (volatile int i = 0; i < 10; i++) {
		CHECK(load(i) == SIGSEGV + i);
		CHECK(divide(i) == SIGFPE + i);
		CHECK(trap(i) == SIGILL + i);
		CHECK(clear(i, 4096 + i) == SIGSEGV + i);
		CHECK(nested(i + 7, 0.25) == i + 7);
	}
}
