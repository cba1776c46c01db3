// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pty.h>

// The session leader puts a job into the background, where reading the terminal stops it, and then
// into the foreground, where it goes on.
static void lead(void)
{
	int status;
	char line[8];
	handle(SIGTTOU, SIG_IGN, 0);
	pid_t job = fork();
	CHECK(job >= 0);
	if (job == 0) {
		CHECK(setpgid(0, 0) == 0);
		CHECK(read(0, line, sizeof line) == 3 && !memcmp(line, "go\n", 3));
		_exit(0);
	}
	CHECK(waitpid(job, &status, WUNTRACED) == job);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	CHECK(tcsetpgrp(0, job) == 0 && tcgetpgrp(0) == job);
	CHECK(kill(-job, SIGCONT) == 0 && write(1, "r", 1) == 1);
	CHECK(passed(wait_for(job)));
	CHECK(tcsetpgrp(0, getpid()) == 0);
}

int main(void)
{
	int terminal;
	char byte;
	pid_t child = forkpty(&terminal, 0, 0, 0);
	CHECK(child >= 0);
	if (child == 0) {
		lead();
		_exit(0);
	}
	CHECK(read(terminal, &byte, 1) == 1 && byte == 'r');
	CHECK(write(terminal, "go\n", 3) == 3);
	CHECK(passed(wait_for(child)));
}
