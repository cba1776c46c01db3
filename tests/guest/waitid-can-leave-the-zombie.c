// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	siginfo_t info;
	pid_t child = fork();
	if (child == 0) _exit(33);
	CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
	CHECK(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 33);
	CHECK(kill(child, 0) == 0);
	CHECK(WEXITSTATUS(wait_for(child)) == 33);
	CHECK(kill(child, 0) == -1 && errno == ESRCH);
}
