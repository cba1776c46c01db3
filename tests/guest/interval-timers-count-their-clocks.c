// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/time.h>

static volatile int ticks[64];

static void tick(int signal)
{
	ticks[signal]++;
}

static void start(int which, int ms)
{
	struct timeval every = { ms / 1000, ms % 1000 * 1000 };
	CHECK(setitimer(which, &(struct itimerval){ every, every }, 0) == 0);
}

int main(void)
{
	struct itimerval left;
	handle(SIGALRM, tick, 0);
	handle(SIGVTALRM, tick, 0);
	handle(SIGPROF, tick, 0);

	// Virtual time does not pass in sleep, real time does.
	start(ITIMER_VIRTUAL, 20);
	start(ITIMER_PROF, 20);
	start(ITIMER_REAL, 10);
	while (ticks[SIGALRM] < 5) pause();
	CHECK(ticks[SIGVTALRM] == 0);
	start(ITIMER_REAL, 0);
	CHECK(getitimer(ITIMER_REAL, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_usec == 0);

	// And both others in a loop.
	while (ticks[SIGVTALRM] < 5);
	CHECK(ticks[SIGPROF] >= 4);
	start(ITIMER_VIRTUAL, 0);
	start(ITIMER_PROF, 0);

	// alarm says what was left, and is the real timer's.
	CHECK(alarm(100) == 0 && alarm(50) > 95);
	CHECK(getitimer(ITIMER_REAL, &left) == 0 && left.it_value.tv_sec > 45 && left.it_value.tv_sec <= 50);
	CHECK(alarm(0) > 45 && alarm(0) == 0);

	// A child has none of them.
	alarm(60);
	pid_t child = fork();
	if (child == 0) _exit(alarm(0) != 0);
	CHECK(passed(wait_for(child)));
	// What exec runs has them still.
	child = fork();
	if (child == 0) {
		alarm(1);
		execl("/bin/sleep", "sleep", "50", (char *)0);
		_exit(1);
	}
	CHECK(died_of(wait_for(child), SIGALRM));
}
