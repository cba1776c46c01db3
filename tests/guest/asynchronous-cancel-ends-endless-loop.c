// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

static volatile int started, forever = 1;

static void *run(void *argument)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
	started = 1;
	while (forever);
	return argument;
}

int main(void)
{
	pthread_t thread;
	void *result;
	CHECK(pthread_create(&thread, 0, run, 0) == 0);
	while (!started) sleep_ms(1);
	CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
	CHECK(result == PTHREAD_CANCELED);
}
