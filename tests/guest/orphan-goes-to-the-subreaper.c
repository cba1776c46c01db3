// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sched.h>
#include <sys/prctl.h>

int main(void)
{
	int fds[2];
	pid_t orphan, parent;
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 && pipe(fds) == 0);
	pid_t child = fork();
	if (child == 0) {
		parent = getpid();
		orphan = fork();
		if (orphan == 0) {
			while (getppid() == parent) sched_yield();
			_exit(3);
		}
		CHECK(write(fds[1], &orphan, sizeof orphan) == sizeof orphan);
		_exit(0);
	}
	CHECK(passed(wait_for(child)));
	CHECK(read(fds[0], &orphan, sizeof orphan) == sizeof orphan);
	CHECK(WEXITSTATUS(wait_for(orphan)) == 3);
}
