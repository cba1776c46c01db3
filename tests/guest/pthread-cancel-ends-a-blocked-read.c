// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

static int fds[2], cleaned;

static void clean(void *argument) { cleaned += argument == &cleaned; }

static void *run(void *argument)
{
	char byte;
	pthread_cleanup_push(clean, &cleaned);
	CHECK(read(fds[0], &byte, 1) == -1);
	pthread_cleanup_pop(0);
	return argument;
}

int main(void)
{
	pthread_t thread;
	void *result;
	CHECK(pipe(fds) == 0);
	for (int i = 0; i < 20; i++) {
		CHECK(pthread_create(&thread, 0, run, 0) == 0);
		if (i % 2) sleep_ms(2);
		CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
		CHECK(result == PTHREAD_CANCELED);
	}
	// One that was cancelled before it came to its handler has nothing to clean.
	CHECK(cleaned >= 10);
}
