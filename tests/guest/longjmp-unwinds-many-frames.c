// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <setjmp.h>

static jmp_buf outer, inner;
static volatile int bottom;

static void descend(int depth, int value)
{
	volatile char frame[64];
	frame[0] = depth;
	if (depth == bottom) longjmp(value % 2 ? outer : inner, value);
	descend(depth - 1, value);
	CHECK(!frame[0]);
}

static int run(int value)
{
	int got = setjmp(outer);
	if (got) return got;
	got = setjmp(inner);
	if (got) return got + 1000;
	descend(50, value);
	return -1;
}

int main(void)
{
	CHECK(run(3) == 3);
	CHECK(run(4) == 1004);
	int zero = setjmp(outer);
	if (zero == 0) longjmp(outer, 0);
	CHECK(zero == 1);
}
