// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile int global;

int main(void)
{
	volatile int local = 0;
	pid_t child = vfork();
	if (child == 0) {
		global = 1;
		local = 1;
		_exit(5);
	}
	CHECK(child > 0 && global == 1 && local == 1);
	CHECK(WEXITSTATUS(wait_for(child)) == 5);
}
