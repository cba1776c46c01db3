// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static long long now(clockid_t clock)
{
	struct timespec time;
	CHECK(clock_gettime(clock, &time) == 0);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void)
{
	long long start = now(CLOCK_MONOTONIC), last = start;
	for (int i = 0; i < 10000; i++) {
		long long next = now(CLOCK_MONOTONIC);
		CHECK(next >= last);
		last = next;
	}
	start = now(CLOCK_MONOTONIC);
	sleep_ms(20);
	long long slept = now(CLOCK_MONOTONIC) - start;
	CHECK(slept >= 20000000 && slept < 2000000000);
	CHECK(now(CLOCK_REALTIME) / 1000000000 - time(0) <= 1 && time(0) > 1700000000);
	start = now(CLOCK_PROCESS_CPUTIME_ID);
	while (now(CLOCK_PROCESS_CPUTIME_ID) - start < 5000000);
}
