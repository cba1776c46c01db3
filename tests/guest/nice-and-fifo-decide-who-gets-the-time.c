// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 1
#include "test.h"
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

// Processor time that a process has used.
static double used(pid_t pid)
{
	struct timespec time;
	clockid_t clock;
	CHECK(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &time) == 0);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static pid_t busy(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) for (;;);
	return pid;
}

static void end(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0 && died_of(wait_for(pid), SIGKILL));
}

int main(void)
{
	pid_t first = busy(), second = busy();

	CHECK(setpriority(PRIO_PROCESS, second, 15) == 0 && getpriority(PRIO_PROCESS, second) == 15);
	double before = used(first), before_second = used(second);
	sleep_ms(1000);
	CHECK(used(first) - before > 4 * (used(second) - before_second));
	CHECK(setpriority(PRIO_PROCESS, second, 0) == 0);

	// This process must run although the other never sleeps.
	struct sched_param high = { .sched_priority = 20 }, higher = { .sched_priority = 30 };
	CHECK(sched_setscheduler(0, SCHED_FIFO, &higher) == 0);
	CHECK(sched_setscheduler(second, SCHED_FIFO, &high) == 0 && sched_getscheduler(second) == SCHED_FIFO);
	before = used(first), before_second = used(second);
	sleep_ms(1000);
	// The kernel keeps a twentieth for those without a priority.
	CHECK(used(second) - before_second > 4 * (used(first) - before));
	end(second);
	before = used(first);
	sleep_ms(200);
	CHECK(used(first) > before);
	end(first);
}
