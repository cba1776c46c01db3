// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 64
#include "test.h"
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>

enum { CPUS = 64 };

int main(void)
{
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) == CPUS);
	atomic_int *here = mmap(0, sizeof *here, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(here != MAP_FAILED);
	pid_t pids[CPUS];
	for (int cpu = 0; cpu < CPUS; cpu++)
		if ((pids[cpu] = fork()) == 0) {
			cpu_set_t set;
			CPU_ZERO(&set);
			CPU_SET(cpu, &set);
			CHECK(sched_setaffinity(0, sizeof set, &set) == 0);
			// No call, so that each needs its vCPU until all have one.
			atomic_fetch_add(here, 1);
			while (atomic_load(here) < CPUS);
			CHECK(sched_getcpu() == cpu);
			_exit(0);
		}
	for (int cpu = 0; cpu < CPUS; cpu++) CHECK(passed(wait_for(pids[cpu])));
}
