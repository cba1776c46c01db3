// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static int global = 1;

int main(void)
{
	int local = 1;
	int *heap = malloc(sizeof *heap);
	*heap = 1;
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK(global == 1 && local == 1 && *heap == 1);
		global = local = *heap = 2;
		_exit(global + local + *heap);
	}
	int status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 6);
	CHECK(global == 1 && local == 1 && *heap == 1);
}
