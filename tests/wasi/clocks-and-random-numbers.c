/* Time goes on, and random bytes are not all alike. */
#include "wasi.h"

void _start(void)
{
	uint64_t a, b, resolution;
	static uint8_t bytes[100000];

	for (uint32_t id = 0; id < 4; id++) {
		ok(clock_res_get(id, &resolution));
		yes(resolution > 0 && resolution <= 1000000000);
		ok(clock_time_get(id, 0, &a));
		ok(clock_time_get(id, 1000, &b));
		yes(b >= a);
	}
	/* After 2020. */
	ok(clock_time_get(0, 0, &a));
	yes(a > 1577836800000000000);
	is(clock_time_get(4, 0, &a), INVAL);
	is(clock_res_get(~0u, &a), INVAL);
	is(clock_time_get(0, 0, (uint64_t *)0xfffffff9), FAULT);

	ok(random_get(bytes, sizeof bytes));
	uint32_t counts[256] = {0};
	for (size_t i = 0; i < sizeof bytes; i++)
		counts[bytes[i]]++;
	for (int i = 0; i < 256; i++)
		yes(counts[i] > 200 && counts[i] < 700);
	ok(random_get(bytes, 0));
	is(random_get(bytes, 0x7fffffff), FAULT);
	ok(sched_yield());
	proc_exit(0);
}
