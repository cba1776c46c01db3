// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static pid_t pauses(pid_t group)
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		pause();
		_exit(1);
	}
	CHECK(setpgid(child, group) == 0);
	return child;
}

int main(void)
{
	pid_t first = pauses(0), second = pauses(first), third = pauses(0);
	siginfo_t info = { 0 };
	CHECK(waitpid(-1, 0, WNOHANG) == 0);
	CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);

	CHECK(kill(third, SIGTERM) == 0);
	CHECK(waitid(P_PGID, third, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_pid == third && info.si_code == CLD_KILLED && info.si_status == SIGTERM && info.si_signo == SIGCHLD);
	CHECK(waitpid(-first, 0, WNOHANG) == 0);
	CHECK(died_of(wait_for(third), SIGTERM));

	CHECK(killpg(first, SIGINT) == 0);
	int status;
	pid_t got = waitpid(-first, &status, 0);
	CHECK((got == first || got == second) && died_of(status, SIGINT));
	pid_t left = got == first ? second : first;
	int pidfd = syscall(SYS_pidfd_open, left, 0);
	CHECK(pidfd >= 0 && waitid(P_PIDFD, pidfd, &info, WEXITED) == 0 && info.si_pid == left);
	CHECK(waitpid(-first, 0, 0) == -1 && errno == ECHILD);
	CHECK(waitpid(-1, 0, 0) == -1 && errno == ECHILD);
	CHECK(waitid(P_PID, 1, &info, WEXITED) == -1 && errno == ECHILD);
	CHECK(waitid(P_ALL, 0, &info, 0) == -1 && errno == EINVAL);

	// A descriptor sends signals to what it names, and never to another.
	pid_t child = pauses(0);
	pidfd = syscall(SYS_pidfd_open, child, 0);
	CHECK(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, 0, 0) == 0 && died_of(wait_for(child), SIGUSR1));
	CHECK(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, 0, 0) == -1 && errno == ESRCH);
}
