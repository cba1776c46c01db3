// SPDX-License-Identifier: MIT OR Apache-2.0
// Several calls of sigsetjmp in one function, in several activations of it, and in its callers.
#include "test.h"
#include <setjmp.h>

static sigjmp_buf first, second, outer;
static sigjmp_buf *volatile target;
static int *volatile nowhere = (int *)8;
static sigjmp_buf levels[8];

static void handler(int signal)
{
	(void)signal;
	siglongjmp(*target, 1);
}

static int two(int a, int b)
{
	volatile int seen = 0;
	if (sigsetjmp(first, 1) == 0) {
		target = &first;
		*nowhere = 1;
	} else {
		seen |= 1;
	}
	if (sigsetjmp(second, 1) == 0) {
		target = &second;
		*nowhere = 2;
	} else {
		seen |= 2;
	}
	if (seen == 3) {
		// Back to the first one from behind the second.
		seen |= 4;
		target = &first;
		*nowhere = 3;
	}
	return seen * 100 + a * 10 + b;
}

// Its own sigsetjmp comes after the fault, or was for another level.
static int recursive(int level, int to)
{
	if (level == 8) {
		target = &levels[to];
		*nowhere = 4;
	}
	if (sigsetjmp(levels[level], 1)) return level;
	return recursive(level + 1, to) + 0 * *(volatile int *)&to;
}

static int late(void)
{
	target = &outer;
	*nowhere = 5;
	return sigsetjmp(first, 1);
}

int main(void)
{
	handle(SIGSEGV, handler, 0);
	CHECK(two(3, 4) == 734);
	for (volatile int to = 0; to < 8; to++) CHECK(recursive(0, to) == to);
	volatile int jumps = 0;
	if (sigsetjmp(outer, 1)) jumps++;
	if (jumps < 5) late();
	CHECK(jumps == 5);
}
