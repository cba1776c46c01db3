// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile int count;

static void handler(int signal) { count += signal == SIGUSR1; }

int main(void)
{
	int fds[2];
	char byte = 0;
	handle(SIGUSR1, handler, SA_RESTART);
	CHECK(pipe(fds) == 0);
	pid_t parent = getpid(), child = fork();
	if (child == 0) {
		for (int i = 0; i < 5; i++) {
			sleep_ms(5);
			CHECK(kill(parent, SIGUSR1) == 0);
		}
		sleep_ms(5);
		CHECK(write(fds[1], "y", 1) == 1);
		_exit(0);
	}
	CHECK(read(fds[0], &byte, 1) == 1 && byte == 'y' && count > 0);
	CHECK(passed(wait_for(child)));
}
