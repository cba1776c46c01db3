// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	timer_t timer;
	siginfo_t info;
	sigset_t mask;
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 8 };
	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	CHECK(sigprocmask(SIG_BLOCK, &mask, 0) == 0);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &(struct itimerspec){ .it_value = { 0, 3000000 } }, 0) == 0);
	CHECK(sigwaitinfo(&mask, &info) == SIGRTMIN && info.si_code == SI_TIMER && info.si_value.sival_int == 8);
	CHECK(timer_delete(timer) == 0);
}
