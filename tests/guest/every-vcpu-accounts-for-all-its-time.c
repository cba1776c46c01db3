// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 2
#include "test.h"
#include <pthread.h>

enum { CPUS = 2 };

// Seconds that each vCPU was busy and idle.
static void read_stat(double busy[CPUS], double idle[CPUS])
{
	char line[512];
	FILE *stat = fopen("/proc/stat", "r");
	CHECK(stat);
	for (int found = 0; found < CPUS;) {
		int cpu;
		long user, nice, system, idling, waits, irq, softirq, steal;
		CHECK(fgets(line, sizeof line, stat));
		// The first line is for all of them.
		if (line[3] == ' ') continue;
		if (sscanf(line, "cpu%d %ld %ld %ld %ld %ld %ld %ld %ld", &cpu, &user, &nice, &system, &idling, &waits, &irq, &softirq, &steal) != 9)
			continue;
		CHECK(cpu == found++);
		double second = sysconf(_SC_CLK_TCK);
		busy[cpu] = (user + nice + system + irq + softirq + steal) / second;
		idle[cpu] = (idling + waits) / second;
	}
	fclose(stat);
}

static double used[3];
static pthread_barrier_t ended;

static void *works(void *argument)
{
	int self = (intptr_t)argument;
	for (double until = 0.1 * (self + 1); seconds_of(CLOCK_THREAD_CPUTIME_ID) < until;);
	used[self] = seconds_of(CLOCK_THREAD_CPUTIME_ID);
	pthread_barrier_wait(&ended);
	return 0;
}

// Whether one vCPU was idle for all of the time and one busy, in one second of five. What a busy host takes
// away from a busy vCPU nobody accounts for.
static int vcpus_add_up(void)
{
	double busy[2][CPUS], idle[2][CPUS];
	for (int i = 0; i < 5; i++) {
		double before = seconds_of(CLOCK_MONOTONIC), all_busy = 0, all_idle = 0;
		read_stat(busy[0], idle[0]);
		sleep_ms(1000);
		read_stat(busy[1], idle[1]);
		double elapsed = seconds_of(CLOCK_MONOTONIC) - before;
		for (int cpu = 0; cpu < CPUS; cpu++) {
			all_busy += busy[1][cpu] - busy[0][cpu];
			all_idle += idle[1][cpu] - idle[0][cpu];
		}
		printf("%.2f s busy and %.2f s idle in %.2f s\n", all_busy, all_idle, elapsed);
		// Never more than there is.
		CHECK(all_busy + all_idle < 1.1 * CPUS * elapsed);
		if (all_busy > 0.1 * elapsed && all_idle > 0.9 * elapsed && all_idle < 1.1 * elapsed) return 1;
	}
	return 0;
}

int main(void)
{
	// Threads: their clocks together are that of the process.
	pthread_t ids[3];
	CHECK(pthread_barrier_init(&ended, 0, 4) == 0);
	for (int i = 0; i < 3; i++) CHECK(pthread_create(&ids[i], 0, works, (void *)(intptr_t)i) == 0);
	pthread_barrier_wait(&ended);
	double all = used[0] + used[1] + used[2] + seconds_of(CLOCK_THREAD_CPUTIME_ID), process = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
	CHECK(used[0] >= 0.1 && used[1] >= 0.2 && used[2] >= 0.3);
	CHECK(process >= all - 0.001 && process < all + 0.5);
	for (int i = 0; i < 3; i++) CHECK(pthread_join(ids[i], 0) == 0);

	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) for (;;);
	CHECK(vcpus_add_up());
	CHECK(kill(child, SIGKILL) == 0 && died_of(wait_for(child), SIGKILL));
}
