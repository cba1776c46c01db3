// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 1
#include "test.h"
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

// What each has done. Their processor time would also hold what the host took away.
static volatile unsigned long *done;

static pid_t busy(int number)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) for (;;) done[number]++;
	return pid;
}

// What both do in the next while.
static void watch(unsigned long did[2], unsigned milliseconds)
{
	unsigned long before[2] = { done[0], done[1] };
	sleep_ms(milliseconds);
	for (int i = 0; i < 2; i++) did[i] = done[i] - before[i];
}

static void end(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0 && died_of(wait_for(pid), SIGKILL));
}

int main(void)
{
	done = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(done != MAP_FAILED);
	pid_t first = busy(0), second = busy(1);
	unsigned long did[2];

	CHECK(setpriority(PRIO_PROCESS, second, 15) == 0 && getpriority(PRIO_PROCESS, second) == 15);
	watch(did, 1000);
	// The host may be busy, too: by the rules it is 28 times.
	CHECK(did[0] > 2 * did[1]);
	CHECK(setpriority(PRIO_PROCESS, second, 0) == 0);

	// This process must run although the other never sleeps.
	struct sched_param high = { .sched_priority = 20 }, higher = { .sched_priority = 30 };
	// musl's functions of that name say that there is no such thing.
	CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &higher) == 0);
	CHECK(syscall(SYS_sched_setscheduler, second, SCHED_FIFO, &high) == 0);
	CHECK(syscall(SYS_sched_getscheduler, second) == SCHED_FIFO);
	watch(did, 1000);
	// The kernel keeps a twentieth for those without a priority.
	CHECK(did[1] > 2 * did[0]);
	end(second);
	watch(did, 200);
	CHECK(did[0] > 0 && did[1] == 0);
	end(first);
}
