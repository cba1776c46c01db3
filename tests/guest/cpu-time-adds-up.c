// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 1
#include "test.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <time.h>

static double used(int who)
{
	struct rusage usage;
	CHECK(getrusage(who, &usage) == 0);
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void work(double seconds)
{
	for (double end = seconds_of(CLOCK_PROCESS_CPUTIME_ID) + seconds; seconds_of(CLOCK_PROCESS_CPUTIME_ID) < end;);
}

static int close_to(double a, double b)
{
	return a - b < 0.03 && b - a < 0.03;
}

int main(void)
{
	double began = seconds_of(CLOCK_MONOTONIC), used_before = used(RUSAGE_SELF);
	pid_t pids[3];

	for (int i = 0; i < 3; i++)
		if ((pids[i] = fork()) == 0) {
			work(0.1 * (i + 1));
			CHECK(close_to(used(RUSAGE_SELF), seconds_of(CLOCK_PROCESS_CPUTIME_ID)));
			_exit(0);
		}
	CHECK(pids[0] > 0 && pids[1] > 0 && pids[2] > 0);
	for (int i = 0; i < 3; i++) CHECK(passed(wait_for(pids[i])));

	double children = used(RUSAGE_CHILDREN), all = children + used(RUSAGE_SELF);
	CHECK(children >= 0.6);
	// One vCPU gives no more than the time that passes.
	CHECK(all - used_before <= seconds_of(CLOCK_MONOTONIC) - began + 0.03);
	struct tms times_;
	CHECK(times(&times_) != (clock_t)-1);
	CHECK(close_to((double)(times_.tms_cutime + times_.tms_cstime) / sysconf(_SC_CLK_TCK), children));

	// Who sleeps uses none.
	double before = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	sleep_ms(300);
	CHECK(seconds_of(CLOCK_PROCESS_CPUTIME_ID) - before < 0.1);
}
