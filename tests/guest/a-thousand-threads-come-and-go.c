// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

static int sum;

static void *add(void *argument)
{
	__atomic_fetch_add(&sum, (int)(intptr_t)argument, __ATOMIC_SEQ_CST);
	return 0;
}

int main(void)
{
	pthread_t threads[50];
	for (int round = 0; round < 20; round++) {
		for (intptr_t i = 0; i < 50; i++) CHECK(pthread_create(&threads[i], 0, add, (void *)i) == 0);
		for (int i = 0; i < 50; i++) CHECK(pthread_join(threads[i], 0) == 0);
	}
	CHECK(sum == 20 * (49 * 50 / 2));
}
