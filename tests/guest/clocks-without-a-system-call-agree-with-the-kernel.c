// SPDX-License-Identifier: MIT OR Apache-2.0
// The library reads most clocks by itself.
#include "test.h"
#include <pthread.h>
#include <sys/timex.h>

#ifndef SYS_clock_gettime
#define SYS_clock_gettime SYS_clock_gettime64
#endif

static long long ns(struct timespec time)
{
	CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long by_library(clockid_t clock)
{
	struct timespec time;
	CHECK(clock_gettime(clock, &time) == 0);
	return ns(time);
}

static long long by_kernel(clockid_t clock)
{
	struct timespec time;
	CHECK(syscall(SYS_clock_gettime, clock, &time) == 0);
	return ns(time);
}

static const clockid_t clocks[] = {
	CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_REALTIME_COARSE,
	CLOCK_MONOTONIC_COARSE, CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
};

static void agree(void)
{
	for (int round = 0; round < 200; round++) {
		for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
			long long before = by_kernel(clocks[i]);
			long long between = by_library(clocks[i]);
			CHECK(before <= between && between <= by_kernel(clocks[i]));
		}
		if (round % 50 == 0) sleep_ms(20);
	}
}

// The latest time that any thread has seen.
static long long latest;

static void *watch(void *clock)
{
	for (int i = 0; i < 100000; i++) {
		long long seen = __atomic_load_n(&latest, __ATOMIC_SEQ_CST);
		long long time = by_library((intptr_t)clock);
		CHECK(time >= seen);
		while (seen < time && !__atomic_compare_exchange_n(&latest, &seen, time, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	}
	return 0;
}

static void never_step_back_between_threads(clockid_t clock)
{
	pthread_t threads[4];
	latest = 0;
	for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], 0, watch, (void *)(intptr_t)clock) == 0);
	for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], 0) == 0);
}

int main(void)
{
	struct timespec time;
	agree();
	never_step_back_between_threads(CLOCK_MONOTONIC);
	never_step_back_between_threads(CLOCK_BOOTTIME);
	CHECK(clock_gettime(1000, &time) == -1 && errno == EINVAL);

#ifdef __linnet__ // Another machine keeps its time.
	struct timespec past = { 1000000000, 5 };
	long long monotonic = by_library(CLOCK_MONOTONIC);
	CHECK(clock_settime(CLOCK_REALTIME, &past) == 0);
	long long set = by_library(CLOCK_REALTIME) - ns(past);
	CHECK(set >= 0 && set < 10000000000);
	CHECK(by_library(CLOCK_MONOTONIC) >= monotonic);
	agree();
	struct timex adjust = { .modes = ADJ_TICK | ADJ_FREQUENCY, .tick = 10900, .freq = 500 << 16 };
	CHECK(adjtimex(&adjust) >= 0);
	never_step_back_between_threads(CLOCK_REALTIME);
	agree();
	adjust = (struct timex){ .modes = ADJ_TICK | ADJ_FREQUENCY, .tick = 9100, .freq = -500 * 65536 };
	CHECK(adjtimex(&adjust) >= 0);
	never_step_back_between_threads(CLOCK_MONOTONIC);
	agree();
#endif
}
