// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/time.h>

static void handler(int signal) { (void)signal; }

int main(void)
{
	struct timespec rest = { 0 };
	handle(SIGALRM, handler, SA_RESTART);
	CHECK(setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 20000 } }, 0) == 0);
	CHECK(nanosleep(&(struct timespec){ 30, 0 }, &rest) == -1 && errno == EINTR);
	CHECK(rest.tv_sec == 29 && rest.tv_nsec > 0);
}
