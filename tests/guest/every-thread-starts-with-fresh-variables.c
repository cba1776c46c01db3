// SPDX-License-Identifier: MIT OR Apache-2.0
// The library gives the stacks of ended threads to new ones.
#include "test.h"
#include <pthread.h>

static _Thread_local int zero, initialised = 42;
static _Thread_local char large[3000];
static pthread_key_t keys[20];
static int ended;

static void *use(void *argument)
{
	CHECK(zero == 0 && initialised == 42 && errno == 0);
	for (unsigned i = 0; i < sizeof large; i++) CHECK(large[i] == 0);
	for (int i = 0; i < 20; i++) {
		CHECK(pthread_getspecific(keys[i]) == 0);
		CHECK(pthread_setspecific(keys[i], large) == 0);
	}
	volatile char stack[20000];
	memset((char *)stack, 0x55, sizeof stack);
	memset(large, 0x55, sizeof large);
	zero = initialised = errno = 7;
	__atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
	return argument;
}

static void *overflow(void *argument)
{
	pthread_attr_t attributes;
	void *lowest;
	size_t size;
	CHECK(pthread_getattr_np(pthread_self(), &attributes) == 0);
	CHECK(pthread_attr_getstack(&attributes, &lowest, &size) == 0);
	*((volatile char *)lowest + 100) = 1;
	*((volatile char *)lowest - 100) = 1;
	return argument;
}

static void die_at_the_end_of_a_used_stack(void)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, 0, use, 0) == 0 && pthread_join(thread, 0) == 0);
	CHECK(pthread_create(&thread, 0, overflow, 0) == 0);
	pthread_join(thread, 0);
}

static void rounds(int count, const pthread_attr_t *attributes, int joined)
{
	pthread_t threads[24];
	int before = ended;
	for (int round = 0; round < count; round++) {
		for (int i = 0; i < 24; i++) CHECK(pthread_create(&threads[i], attributes, use, &ended) == 0);
		for (int i = 0; joined && i < 24; i++) {
			void *result;
			CHECK(pthread_join(threads[i], &result) == 0 && result == &ended);
		}
	}
	while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) != before + 24 * count) sleep_ms(1);
}

int main(void)
{
	pthread_attr_t detached, small;
	for (int i = 0; i < 20; i++) CHECK(pthread_key_create(&keys[i], 0) == 0);
	CHECK(pthread_attr_init(&detached) == 0 && pthread_attr_init(&small) == 0);
	CHECK(pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED) == 0);
	CHECK(pthread_attr_setstacksize(&small, 65536) == 0 && pthread_attr_setguardsize(&small, 0) == 0);
	for (int i = 0; i < 4; i++) {
		rounds(4, 0, 1);
		rounds(4, &detached, 0);
		rounds(4, &small, 1);
	}
	CHECK(died_of(status_of(die_at_the_end_of_a_used_stack), SIGSEGV));
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		rounds(2, 0, 1);
		_exit(0);
	}
	CHECK(passed(wait_for(child)));
}
