// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <setjmp.h>

static jmp_buf outer, inner;

static void descend(int depth, int value)
{
	volatile int mine = depth;
	if (depth == 0 && value) longjmp(value % 2 ? outer : inner, value);
	if (depth == 0) return;
	descend(depth - 1, value);
	CHECK(mine == depth);
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
