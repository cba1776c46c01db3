// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

enum { THREADS = 2000 };

static _Thread_local int own = 5;
static pthread_barrier_t all_alive;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sum;

static void *lives(void *argument)
{
	int number = (intptr_t)argument;
	CHECK(own == 5);
	own = number;
	pthread_barrier_wait(&all_alive);
	CHECK(own == number);
	pthread_mutex_lock(&lock);
	sum += own;
	pthread_mutex_unlock(&lock);
	return &own;
}

int main(void)
{
	static pthread_t ids[THREADS];
	pthread_attr_t attributes;
	CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 32768) == 0);
	CHECK(pthread_barrier_init(&all_alive, 0, THREADS + 1) == 0);
	for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&ids[i], &attributes, lives, (void *)(intptr_t)i) == 0);
	pthread_barrier_wait(&all_alive);
	for (int i = 0; i < THREADS; i++) CHECK(pthread_join(ids[i], 0) == 0);
	CHECK(sum == (long)THREADS * (THREADS - 1) / 2 && own == 5);
}
