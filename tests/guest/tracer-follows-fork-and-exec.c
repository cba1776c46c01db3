// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/ptrace.h>

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) return 6;
	pid_t child = fork();
	if (child == 0) {
		for (;;) pause();
	}
	// strace attaches so, without a signal to the child.
	CHECK(ptrace(PTRACE_SEIZE, child, 0, (long)(PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC)) == 0);
	CHECK(ptrace(PTRACE_INTERRUPT, child, 0, 0) == 0);
	int status = wait_for(child);
	CHECK(WIFSTOPPED(status) && status >> 16 == PTRACE_EVENT_STOP);
	CHECK(kill(child, SIGWINCH) == 0);
	CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
	status = wait_for(child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGWINCH);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0 || errno == ESRCH);
	CHECK(died_of(wait_for(child), SIGKILL));

	child = fork();
	if (child == 0) {
		CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
		raise(SIGSTOP);
		pid_t grandchild = fork();
		if (grandchild == 0) {
			execl("/proc/self/exe", "self", "exits", (char *)0);
			_exit(1);
		}
		status = wait_for(grandchild);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	status = wait_for(child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, (long)(PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) == 0);
	CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
	unsigned long grandchild = 0;
	int forks = 0, execs = 0, exits = 0;
	while (exits < 2) {
		pid_t who = waitpid(-1, &status, __WALL);
		CHECK(who > 0);
		if (WIFEXITED(status)) {
			CHECK(WEXITSTATUS(status) == 6);
			exits++;
			continue;
		}
		CHECK(WIFSTOPPED(status));
		long signal = 0;
		if (status >> 16 == PTRACE_EVENT_FORK) {
			CHECK(who == child && ptrace(PTRACE_GETEVENTMSG, who, 0, &grandchild) == 0);
			forks++;
		} else if (status >> 16 == PTRACE_EVENT_EXEC) {
			CHECK(who == (pid_t)grandchild);
			execs++;
		} else if (WSTOPSIG(status) != SIGSTOP) {
			signal = WSTOPSIG(status);
		}
		CHECK(ptrace(PTRACE_CONT, who, 0, signal) == 0);
	}
	CHECK(forks == 1 && execs == 1);
}
