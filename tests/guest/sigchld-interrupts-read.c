// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile int pid;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (signal == SIGCHLD) pid = info->si_pid;
}

int main(void)
{
	int fds[2];
	char byte;
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	CHECK(sigaction(SIGCHLD, &action, 0) == 0 && pipe(fds) == 0);
	pid_t child = fork();
	if (child == 0) {
		sleep_ms(20);
		_exit(0);
	}
	CHECK(read(fds[0], &byte, 1) == -1 && errno == EINTR);
	CHECK(pid == child && passed(wait_for(child)));
}
