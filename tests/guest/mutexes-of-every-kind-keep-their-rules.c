// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

static pthread_mutex_t lock;
static int counter;

static void *counts(void *argument)
{
	(void)argument;
	for (int i = 0; i < 20000; i++) {
		CHECK(pthread_mutex_lock(&lock) == 0);
		counter++;
		CHECK(pthread_mutex_unlock(&lock) == 0);
	}
	return 0;
}

static void *is_not_the_owner(void *type)
{
	struct timespec soon;
	CHECK(pthread_mutex_trylock(&lock) == EBUSY);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec += 2000000;
	if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
	CHECK(pthread_mutex_timedlock(&lock, &soon) == ETIMEDOUT);
	if ((intptr_t)type != PTHREAD_MUTEX_NORMAL) CHECK(pthread_mutex_unlock(&lock) == EPERM);
	return 0;
}

static void *dies_with_it(void *argument)
{
	(void)argument;
	CHECK(pthread_mutex_lock(&lock) == 0);
	return 0;
}

static void run(void *(*body)(void *), int threads, void *argument)
{
	pthread_t ids[8];
	for (int i = 0; i < threads; i++) CHECK(pthread_create(&ids[i], 0, body, argument) == 0);
	for (int i = 0; i < threads; i++) CHECK(pthread_join(ids[i], 0) == 0);
}

static void kind(int type, int protocol, int robust)
{
	pthread_mutexattr_t attributes;
	CHECK(pthread_mutexattr_init(&attributes) == 0 && pthread_mutexattr_settype(&attributes, type) == 0);
	CHECK(pthread_mutexattr_setprotocol(&attributes, protocol) == 0);
	CHECK(pthread_mutexattr_setrobust(&attributes, robust) == 0);
	CHECK(pthread_mutex_init(&lock, &attributes) == 0);
	counter = 0;
	run(counts, 4, 0);
	CHECK(counter == 80000);
	CHECK(pthread_mutex_lock(&lock) == 0);
	run(is_not_the_owner, 1, (void *)(intptr_t)type);
	if (type == PTHREAD_MUTEX_RECURSIVE) {
		CHECK(pthread_mutex_lock(&lock) == 0 && pthread_mutex_trylock(&lock) == 0);
		CHECK(pthread_mutex_unlock(&lock) == 0 && pthread_mutex_unlock(&lock) == 0);
		run(is_not_the_owner, 1, (void *)(intptr_t)type);
	}
	if (type == PTHREAD_MUTEX_ERRORCHECK) CHECK(pthread_mutex_lock(&lock) == EDEADLK);
	CHECK(pthread_mutex_unlock(&lock) == 0);
	if (type == PTHREAD_MUTEX_ERRORCHECK) CHECK(pthread_mutex_unlock(&lock) == EPERM);
	if (robust == PTHREAD_MUTEX_ROBUST) {
		run(dies_with_it, 1, 0);
		CHECK(pthread_mutex_lock(&lock) == EOWNERDEAD);
		// Whoever does not repair what it guards ends its use.
		CHECK(pthread_mutex_unlock(&lock) == 0);
		CHECK(pthread_mutex_lock(&lock) == ENOTRECOVERABLE);
	}
	CHECK(pthread_mutex_destroy(&lock) == 0);
}

int main(void)
{
	for (int type = PTHREAD_MUTEX_NORMAL; type <= PTHREAD_MUTEX_ERRORCHECK; type++)
		for (int protocol = PTHREAD_PRIO_NONE; protocol <= PTHREAD_PRIO_INHERIT; protocol++) {
			kind(type, protocol, PTHREAD_MUTEX_STALLED);
			if (type != PTHREAD_MUTEX_NORMAL) kind(type, protocol, PTHREAD_MUTEX_ROBUST);
		}
}
