// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

static volatile int forever = 1;

static void *spin(void *argument)
{
	while (forever);
	return argument;
}

static void *sleep_forever(void *argument)
{
	for (;;) pause();
	return argument;
}

static void starts_and_exits(void)
{
	pthread_t thread;
	for (int i = 0; i < 4; i++) CHECK(pthread_create(&thread, 0, i % 2 ? spin : sleep_forever, 0) == 0);
	sleep_ms(5);
	exit(21);
}

int main(void)
{
	CHECK(WEXITSTATUS(status_of(starts_and_exits)) == 21);
}
