// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

static volatile unsigned counter;

static void *count(void *argument)
{
	for (;;) counter++;
	return argument;
}

static void *forks(void *argument)
{
	int local = 12;
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		unsigned before = counter;
		sleep_ms(10);
		_exit(counter == before && local == 12 ? 0 : 1);
	}
	CHECK(passed(wait_for(child)));
	return argument;
}

int main(void)
{
	pthread_t counting, forking;
	CHECK(pthread_create(&counting, 0, count, 0) == 0);
	CHECK(pthread_create(&forking, 0, forks, 0) == 0 && pthread_join(forking, 0) == 0);
}
