// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

enum { THREADS = 8, ROUNDS = 20000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int locked, atomic;
static _Thread_local int own = 7;

static void *run(void *argument)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		locked++;
		pthread_mutex_unlock(&lock);
		__atomic_fetch_add(&atomic, 1, __ATOMIC_RELAXED);
		own++;
	}
	CHECK(own == 7 + ROUNDS);
	return (char *)argument + 1;
}

int main(void)
{
	pthread_t threads[THREADS];
	void *result;
	for (intptr_t i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], 0, run, (void *)i) == 0);
	for (intptr_t i = 0; i < THREADS; i++) {
		CHECK(pthread_join(threads[i], &result) == 0 && (intptr_t)result == i + 1);
	}
	CHECK(locked == THREADS * ROUNDS && atomic == THREADS * ROUNDS && own == 7);
}
