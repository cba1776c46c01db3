// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 4
#include "test.h"
#include <sched.h>

static int is_on(int cpu)
{
	for (int i = 0; i < 1000; i++) {
		if (sched_getcpu() != cpu) return 0;
		if (i % 100 == 0) sched_yield();
	}
	return 1;
}

int main(void)
{
	cpu_set_t set;

	CHECK(sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 4);
	for (int cpu = 3; cpu >= 0; cpu--) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		CHECK(sched_setaffinity(0, sizeof set, &set) == 0 && is_on(cpu));
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) _exit(!is_on(cpu));
		CHECK(passed(wait_for(pid)));
	}

	// Another's, while it runs.
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		for (;;) if (sched_getcpu() == 2) _exit(0);
	CPU_ZERO(&set);
	CPU_SET(2, &set);
	CHECK(sched_setaffinity(pid, sizeof set, &set) == 0);
	CHECK(passed(wait_for(pid)));

	CPU_ZERO(&set);
	CHECK(sched_setaffinity(0, sizeof set, &set) == -1 && errno == EINVAL);
	CPU_SET(100, &set);
	CHECK(sched_setaffinity(0, sizeof set, &set) == -1 && errno == EINVAL);
}
