// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile int forever = 1;

int main(void)
{
	pid_t child = fork();
	if (child == 0) {
		while (forever);
		_exit(0);
	}
	sleep_ms(10);
	CHECK(waitpid(child, 0, WNOHANG) == 0);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(died_of(wait_for(child), SIGKILL));
}
