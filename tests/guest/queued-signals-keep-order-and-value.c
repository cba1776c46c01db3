// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	sigset_t mask;
	siginfo_t info;
	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	sigaddset(&mask, SIGRTMIN + 1);
	CHECK(sigprocmask(SIG_BLOCK, &mask, 0) == 0);
	for (int i = 0; i < 5; i++) {
		CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 100 + i }) == 0);
		CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i }) == 0);
	}
	for (int i = 0; i < 10; i++) {
		int expected = SIGRTMIN + i / 5;
		CHECK(sigwaitinfo(&mask, &info) == expected && info.si_code == SI_QUEUE);
		CHECK(info.si_value.sival_int == (i < 5 ? i : 95 + i) && info.si_pid == getpid());
	}
	CHECK(sigtimedwait(&mask, &info, &(struct timespec){ 0, 1000000 }) == -1 && errno == EAGAIN);
}
