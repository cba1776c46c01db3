// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static void (*volatile function)(void);

int main(void)
{
	pid_t child = fork();
	if (child == 0) {
		function();
		_exit(0);
	}
	CHECK(died_of(wait_for(child), SIGSEGV));
}
