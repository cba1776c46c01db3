// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static void handler(int signal) { (void)signal; }

int main(int argc, char **argv)
{
	(void)argv;
	struct sigaction action;
	sigset_t mask;
	if (argc == 2) {
		CHECK(sigaction(SIGUSR1, 0, &action) == 0 && action.sa_handler == SIG_DFL);
		CHECK(sigaction(SIGUSR2, 0, &action) == 0 && action.sa_handler == SIG_IGN);
		CHECK(sigprocmask(SIG_BLOCK, 0, &mask) == 0 && sigismember(&mask, SIGWINCH));
		return 0;
	}
	pid_t child = fork();
	if (child == 0) {
		handle(SIGUSR1, handler, 0);
		handle(SIGUSR2, SIG_IGN, 0);
		sigemptyset(&mask);
		sigaddset(&mask, SIGWINCH);
		CHECK(sigprocmask(SIG_BLOCK, &mask, 0) == 0);
		execl("/proc/self/exe", "self", "child", (char *)0);
		_exit(127);
	}
	CHECK(passed(wait_for(child)));
}
