// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/prctl.h>

static volatile int *seen;

static void notes(int signal)
{
	seen[signal] = 1;
}

int main(void)
{
	seen = shared_page();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	pid_t leader = fork();
	if (leader == 0) {
		CHECK(setsid() == getpid() && getsid(0) == getpid() && getpgrp() == getpid());
		CHECK(setsid() == -1 && errno == EPERM);
		pid_t member = fork();
		if (member == 0) {
			CHECK(setpgid(0, 0) == 0);
			handle(SIGHUP, notes, 0);
			handle(SIGCONT, notes, 0);
			raise(SIGSTOP);
			_exit(seen[SIGHUP] && seen[SIGCONT] ? 0 : 1);
		}
		int status;
		CHECK(waitpid(member, &status, WUNTRACED) == member && WIFSTOPPED(status));
		seen[0] = member;
		_exit(0);
	}
	// With its parent, the member's group loses its last tie to the rest of the session.
	CHECK(passed(wait_for(leader)));
	CHECK(getsid(seen[0]) == leader);
	CHECK(passed(wait_for(seen[0])));
	CHECK(setpgid(0, leader) == -1 && errno == EPERM);
}
