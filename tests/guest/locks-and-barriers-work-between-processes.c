// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>
#include <semaphore.h>

enum { PROCESSES = 4, ROUNDS = 500 };

static struct {
	pthread_mutex_t mutex;
	pthread_rwlock_t rwlock;
	pthread_barrier_t barrier;
	pthread_cond_t changed;
	sem_t semaphore;
	int guarded, written, readers, most_readers, serial, turn, inside;
} *shared;

static void works(int self)
{
	for (int i = 0; i < ROUNDS; i++) {
		CHECK(pthread_mutex_lock(&shared->mutex) == 0);
		shared->guarded++;
		CHECK(pthread_mutex_unlock(&shared->mutex) == 0);

		CHECK(pthread_rwlock_wrlock(&shared->rwlock) == 0);
		int before = shared->written;
		shared->written = before + 1;
		CHECK(pthread_rwlock_unlock(&shared->rwlock) == 0);
		CHECK(pthread_rwlock_rdlock(&shared->rwlock) == 0);
		CHECK(shared->written > before && pthread_rwlock_trywrlock(&shared->rwlock) == EBUSY);
		CHECK(pthread_rwlock_unlock(&shared->rwlock) == 0);

		CHECK(sem_wait(&shared->semaphore) == 0);
		CHECK(__atomic_add_fetch(&shared->inside, 1, __ATOMIC_SEQ_CST) <= 2);
		__atomic_sub_fetch(&shared->inside, 1, __ATOMIC_SEQ_CST);
		CHECK(sem_post(&shared->semaphore) == 0);

		// In turn, each time round.
		CHECK(pthread_mutex_lock(&shared->mutex) == 0);
		while (shared->turn % PROCESSES != self) CHECK(pthread_cond_wait(&shared->changed, &shared->mutex) == 0);
		CHECK(shared->turn == i * PROCESSES + self);
		shared->turn++;
		CHECK(pthread_cond_broadcast(&shared->changed) == 0 && pthread_mutex_unlock(&shared->mutex) == 0);

		// Nobody passes before all are there, and one is told.
		int result = pthread_barrier_wait(&shared->barrier);
		CHECK(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
		if (result) __atomic_add_fetch(&shared->serial, 1, __ATOMIC_SEQ_CST);
		CHECK(shared->turn >= (i + 1) * PROCESSES);
	}
}

int main(void)
{
	shared = shared_page();
	pthread_mutexattr_t mutex;
	pthread_rwlockattr_t rwlock;
	pthread_barrierattr_t barrier;
	pthread_condattr_t condition;
	CHECK(pthread_mutexattr_init(&mutex) == 0 && pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED) == 0);
	CHECK(pthread_rwlockattr_init(&rwlock) == 0 && pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED) == 0);
	CHECK(pthread_barrierattr_init(&barrier) == 0 && pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED) == 0);
	CHECK(pthread_condattr_init(&condition) == 0 && pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED) == 0);
	CHECK(pthread_mutex_init(&shared->mutex, &mutex) == 0 && pthread_rwlock_init(&shared->rwlock, &rwlock) == 0);
	CHECK(pthread_barrier_init(&shared->barrier, &barrier, PROCESSES) == 0);
	CHECK(pthread_cond_init(&shared->changed, &condition) == 0 && sem_init(&shared->semaphore, 1, 2) == 0);
	pid_t children[PROCESSES];
	for (int i = 0; i < PROCESSES; i++)
		if ((children[i] = fork()) == 0) {
			works(i);
			_exit(0);
		}
	for (int i = 0; i < PROCESSES; i++) CHECK(passed(wait_for(children[i])));
	CHECK(shared->guarded == PROCESSES * ROUNDS && shared->written == PROCESSES * ROUNDS && shared->serial == ROUNDS);
}
