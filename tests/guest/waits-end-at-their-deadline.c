// SPDX-License-Identifier: MIT OR Apache-2.0
// What pthreads and semaphores wait for comes, or the time does.
#include "test.h"
#include <pthread.h>
#include <semaphore.h>

enum { WAITERS = 6, MS = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t semaphore;
static int waiting, open_, counter, initialised;

static struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec time;
	CHECK(clock_gettime(clock, &time) == 0);
	time.tv_nsec += ms % 1000 * 1000000L;
	time.tv_sec += ms / 1000 + time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	return time;
}

static int is_past(clockid_t clock, struct timespec deadline)
{
	struct timespec now;
	CHECK(clock_gettime(clock, &now) == 0);
	return now.tv_sec > deadline.tv_sec || (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec);
}

static void condition(clockid_t clock)
{
	pthread_condattr_t attributes;
	pthread_cond_t never;
	CHECK(pthread_condattr_init(&attributes) == 0 && pthread_condattr_setclock(&attributes, clock) == 0);
	CHECK(pthread_cond_init(&never, &attributes) == 0);
	struct timespec deadline = in_ms(clock, MS);
	CHECK(pthread_mutex_lock(&lock) == 0);
	int result;
	while ((result = pthread_cond_timedwait(&never, &lock, &deadline)) == 0);
	CHECK(result == ETIMEDOUT && is_past(clock, deadline));
	// It is locked again.
	CHECK(pthread_mutex_trylock(&lock) == EBUSY && pthread_mutex_unlock(&lock) == 0);
	CHECK(pthread_cond_destroy(&never) == 0);
}

static void *waits(void *argument)
{
	struct timespec deadline = in_ms(CLOCK_REALTIME, 30000);
	CHECK(pthread_mutex_lock(&lock) == 0);
	waiting++;
	while (!open_) CHECK(pthread_cond_timedwait(&changed, &lock, &deadline) == 0);
	waiting--;
	CHECK(pthread_mutex_unlock(&lock) == 0);
	return argument;
}

static void broadcast_reaches_all(void)
{
	pthread_t ids[WAITERS];
	for (int i = 0; i < WAITERS; i++) CHECK(pthread_create(&ids[i], 0, waits, 0) == 0);
	for (;;) {
		CHECK(pthread_mutex_lock(&lock) == 0);
		if (waiting == WAITERS) break;
		CHECK(pthread_mutex_unlock(&lock) == 0);
		sleep_ms(1);
	}
	open_ = 1;
	CHECK(pthread_cond_broadcast(&changed) == 0 && pthread_mutex_unlock(&lock) == 0);
	for (int i = 0; i < WAITERS; i++) CHECK(pthread_join(ids[i], 0) == 0);
	CHECK(waiting == 0);
}

static void *finds_it_locked(void *for_writing)
{
	struct timespec deadline = in_ms(CLOCK_REALTIME, MS);
	CHECK(pthread_rwlock_trywrlock(&rwlock) == EBUSY);
	CHECK(pthread_rwlock_timedwrlock(&rwlock, &deadline) == ETIMEDOUT && is_past(CLOCK_REALTIME, deadline));
	deadline = in_ms(CLOCK_REALTIME, MS);
	if (for_writing) {
		CHECK(pthread_rwlock_tryrdlock(&rwlock) == EBUSY);
		CHECK(pthread_rwlock_timedrdlock(&rwlock, &deadline) == ETIMEDOUT && is_past(CLOCK_REALTIME, deadline));
	} else {
		CHECK(pthread_rwlock_timedrdlock(&rwlock, &deadline) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
	}
	return 0;
}

static void *gets_it_in_time(void *argument)
{
	struct timespec deadline = in_ms(CLOCK_REALTIME, 30000);
	CHECK(pthread_rwlock_timedwrlock(&rwlock, &deadline) == 0 && pthread_rwlock_unlock(&rwlock) == 0);
	CHECK(sem_timedwait(&semaphore, &deadline) == 0);
	return argument;
}

static void run(void *(*body)(void *), void *argument)
{
	pthread_t id;
	CHECK(pthread_create(&id, 0, body, argument) == 0 && pthread_join(id, 0) == 0);
}

static void rwlocks_and_semaphores(void)
{
	CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
	run(finds_it_locked, 0);
	CHECK(pthread_rwlock_unlock(&rwlock) == 0 && pthread_rwlock_wrlock(&rwlock) == 0);
	run(finds_it_locked, &rwlock);
	CHECK(sem_init(&semaphore, 0, 0) == 0);
	CHECK(sem_trywait(&semaphore) == -1 && errno == EAGAIN);
	struct timespec deadline = in_ms(CLOCK_REALTIME, MS);
	CHECK(sem_timedwait(&semaphore, &deadline) == -1 && errno == ETIMEDOUT && is_past(CLOCK_REALTIME, deadline));
	pthread_t id;
	CHECK(pthread_create(&id, 0, gets_it_in_time, 0) == 0);
	sleep_ms(5);
	CHECK(pthread_rwlock_unlock(&rwlock) == 0);
	sleep_ms(5);
	CHECK(sem_post(&semaphore) == 0 && pthread_join(id, 0) == 0);
}

static void initialise(void)
{
	sleep_ms(5);
	initialised++;
}

static void *counts(void *argument)
{
	CHECK(pthread_once(&once, initialise) == 0 && initialised == 1);
	for (int i = 0; i < 5000; i++) {
		CHECK(pthread_spin_lock(&spin) == 0);
		counter++;
		CHECK(pthread_spin_unlock(&spin) == 0);
	}
	return argument;
}

int main(void)
{
	condition(CLOCK_REALTIME);
	condition(CLOCK_MONOTONIC);
	broadcast_reaches_all();
	rwlocks_and_semaphores();
	CHECK(pthread_spin_init(&spin, 0) == 0);
	pthread_t ids[4];
	for (int i = 0; i < 4; i++) CHECK(pthread_create(&ids[i], 0, counts, 0) == 0);
	for (int i = 0; i < 4; i++) CHECK(pthread_join(ids[i], 0) == 0);
	CHECK(counter == 20000);
	CHECK(pthread_spin_lock(&spin) == 0 && pthread_spin_trylock(&spin) == EBUSY);
}
