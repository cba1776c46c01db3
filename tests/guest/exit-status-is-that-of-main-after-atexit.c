// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static int *order;

static void first(void) { order[0] = ++order[2]; }
static void second(void) { order[1] = ++order[2]; }

int main(void)
{
	order = shared_page();
	pid_t child = fork();
	if (child == 0) {
		atexit(first);
		atexit(second);
		return 77;
	}
	int status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 77);
	CHECK(order[0] == 2 && order[1] == 1);
}
