// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static int deepest;

static int descend(int depth, const int *caller)
{
	volatile int mine = depth;
	if (depth == deepest) return fork() ? 1 : 2;
	int result = descend(depth + 1, (const int *)&mine);
	CHECK(mine == depth && (depth == 0 || *caller == depth - 1));
	return result;
}

int main(void)
{
	for (deepest = 1; deepest <= 10000; deepest *= 100) {
		if (descend(0, 0) == 2) _exit(17);
		int status;
		CHECK(wait(&status) > 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 17);
	}
}
