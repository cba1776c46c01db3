// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/signalfd.h>

int main(void)
{
	struct signalfd_siginfo info;
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &mask, 0) == 0);
	int fd = signalfd(-1, &mask, SFD_CLOEXEC);
	CHECK(fd >= 0 && sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 44 }) == 0);
	CHECK(read(fd, &info, sizeof info) == sizeof info);
	CHECK(info.ssi_signo == SIGUSR1 && info.ssi_int == 44 && info.ssi_pid == (uint32_t)getpid());
}
