// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>
#include <semaphore.h>

static volatile int started, go_on, past;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static pthread_key_t key;
static char order[8];
static sem_t semaphore;

static void note(void *what)
{
	order[strlen(order)] = *(char *)what;
}

static void *runs_on(void *argument)
{
	started = 1;
	pthread_setspecific(key, "k");
	pthread_cleanup_push(note, "a");
	pthread_cleanup_push(note, "b");
	// Neither a loop nor a call that is no cancellation point.
	while (!go_on);
	getpid();
	past = 1;
	pthread_testcancel();
	past = 2;
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return argument;
}

static void *refuses(void *argument)
{
	int old;
	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old) == 0 && old == PTHREAD_CANCEL_ENABLE);
	started = 1;
	while (!go_on) sleep_ms(1);
	pthread_testcancel();
	past = 1;
	CHECK(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old) == 0 && old == PTHREAD_CANCEL_DISABLE);
	pthread_testcancel();
	past = 2;
	return argument;
}

static void unlock(void *mutex)
{
	// It is the cleaner's, as the wait has taken it again.
	past = pthread_mutex_trylock(mutex) == EBUSY;
	CHECK(pthread_mutex_unlock(mutex) == 0);
}

static void *waits_for_a_condition(void *argument)
{
	CHECK(pthread_mutex_lock(&lock) == 0);
	pthread_cleanup_push(unlock, &lock);
	started = 1;
	for (;;) pthread_cond_wait(&never, &lock);
	pthread_cleanup_pop(0);
	return argument;
}

static void *waits_for_a_semaphore(void *argument)
{
	started = 1;
	sem_wait(&semaphore);
	return argument;
}

static void *sleeps(void *argument)
{
	started = 1;
	nanosleep(&(struct timespec){ 1000, 0 }, 0);
	return argument;
}

static void *waits_for_a_thread(void *thread)
{
	started = 1;
	pthread_join(*(pthread_t *)thread, 0);
	return thread;
}

static pthread_t start(void *(*body)(void *), void *argument)
{
	pthread_t thread;
	started = go_on = past = 0;
	CHECK(pthread_create(&thread, 0, body, argument) == 0);
	while (!started) sleep_ms(1);
	return thread;
}

static void is_cancelled(pthread_t thread)
{
	void *result;
	CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
}

int main(void)
{
	CHECK(pthread_key_create(&key, note) == 0 && sem_init(&semaphore, 0, 0) == 0);
	pthread_t thread = start(runs_on, 0);
	CHECK(pthread_cancel(thread) == 0);
	sleep_ms(10);
	CHECK(order[0] == 0 && past == 0);
	go_on = 1;
	is_cancelled(thread);
	// The last that was pushed first, and the thread's own data at the end.
	CHECK(past == 1 && strcmp(order, "bak") == 0);

	thread = start(refuses, 0);
	CHECK(pthread_cancel(thread) == 0);
	sleep_ms(10);
	CHECK(past == 0);
	go_on = 1;
	is_cancelled(thread);
	CHECK(past == 1);

	void *(*const points[])(void *) = { waits_for_a_condition, waits_for_a_semaphore, sleeps };
	for (int i = 0; i < 3; i++) {
		thread = start(points[i], 0);
		sleep_ms(5);
		CHECK(pthread_cancel(thread) == 0);
		is_cancelled(thread);
		if (i == 0) CHECK(past == 1 && pthread_mutex_trylock(&lock) == 0);
	}

	pthread_t sleeper = start(sleeps, 0);
	thread = start(waits_for_a_thread, &sleeper);
	CHECK(pthread_cancel(thread) == 0);
	is_cancelled(thread);
	// That one can still be joined.
	CHECK(pthread_cancel(sleeper) == 0);
	is_cancelled(sleeper);
}
