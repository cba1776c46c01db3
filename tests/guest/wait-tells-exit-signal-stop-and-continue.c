// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	int status, fds[2];
	char byte;
	CHECK(pipe(fds) == 0);
	pid_t child = fork();
	if (child == 0) {
		raise(SIGSTOP);
		CHECK(read(fds[0], &byte, 1) == 1);
		_exit(9);
	}
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK(waitpid(child, &status, WNOHANG) == 0);
	CHECK(kill(child, SIGCONT) == 0);
	CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);

	child = fork();
	if (child == 0) for (;;) pause();
	CHECK(kill(child, SIGTERM) == 0);
	CHECK(waitpid(-1, &status, 0) == child && died_of(status, SIGTERM));
	CHECK(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
}
