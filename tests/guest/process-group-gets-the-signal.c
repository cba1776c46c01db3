// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	int fds[2];
	char byte;
	pid_t leader = 0;
	CHECK(pipe(fds) == 0);
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();
		if (child == 0) {
			CHECK(setpgid(0, leader) == 0 && write(fds[1], "x", 1) == 1);
			for (;;) pause();
		}
		if (!leader) leader = child;
		CHECK(read(fds[0], &byte, 1) == 1);
	}
	CHECK(kill(-leader, SIGHUP) == 0);
	for (int i = 0; i < 5; i++) {
		int status;
		CHECK(waitpid(-leader, &status, 0) > 0 && died_of(status, SIGHUP));
	}
}
