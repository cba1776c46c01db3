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

// Whether one does more than four times as much as the other, in one second of five: the host may be
// busy, too, and take away the time of one of them.
static int gets_the_time(int who)
{
	for (int i = 0; i < 5; i++) {
		unsigned long before[2] = { done[0], done[1] };
		sleep_ms(1000);
		if (done[who] - before[who] > 4 * (done[!who] - before[!who])) return 1;
	}
	return 0;
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

	CHECK(setpriority(PRIO_PROCESS, second, 15) == 0 && getpriority(PRIO_PROCESS, second) == 15);
	CHECK(gets_the_time(0));
	CHECK(setpriority(PRIO_PROCESS, second, 0) == 0);

	// This process must run although the other never sleeps.
	struct sched_param high = { .sched_priority = 20 }, higher = { .sched_priority = 30 };
	// musl's functions of that name say that there is no such thing.
	CHECK(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &higher) == 0);
	CHECK(syscall(SYS_sched_setscheduler, second, SCHED_FIFO, &high) == 0);
	CHECK(syscall(SYS_sched_getscheduler, second) == SCHED_FIFO);
	// The kernel keeps a twentieth for those without a priority.
	CHECK(gets_the_time(1));
	end(second);
	CHECK(gets_the_time(0));
	end(first);
}
