// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pty.h>

int main(void)
{
	int terminal;
	char byte;
	pid_t child = forkpty(&terminal, 0, 0, 0);
	CHECK(child >= 0);
	if (child == 0) {
		int status;
		pid_t job = fork();
		if (job == 0) {
			CHECK(write(1, "x", 1) == 1);
			for (;;) pause();
		}
		handle(SIGINT, SIG_IGN, 0);
		CHECK(waitpid(job, &status, 0) == job);
		_exit(died_of(status, SIGINT) ? 0 : 1);
	}
	CHECK(read(terminal, &byte, 1) == 1 && byte == 'x');
	sleep_ms(5);
	CHECK(write(terminal, "\3", 1) == 1);
	CHECK(passed(wait_for(child)));
}
