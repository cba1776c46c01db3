// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

int main(void)
{
	pthread_mutex_t *lock = shared_page();
	pthread_mutexattr_t attributes;
	CHECK(pthread_mutexattr_init(&attributes) == 0);
	CHECK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
	CHECK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
	CHECK(pthread_mutex_init(lock, &attributes) == 0);
	pid_t child = fork();
	if (child == 0) {
		CHECK(pthread_mutex_lock(lock) == 0);
		_exit(0);
	}
	CHECK(passed(wait_for(child)));
	CHECK(pthread_mutex_lock(lock) == EOWNERDEAD);
	CHECK(pthread_mutex_consistent(lock) == 0 && pthread_mutex_unlock(lock) == 0);
	// Who waits already is woken, however the owner dies.
	int ends[2];
	CHECK(pipe(ends) == 0);
	pid_t owner = fork();
	CHECK(owner >= 0);
	if (owner == 0) {
		CHECK(pthread_mutex_lock(lock) == 0 && write(ends[1], "x", 1) == 1);
		for (;;) pause();
	}
	CHECK(read(ends[0], &(char){ 0 }, 1) == 1 && pthread_mutex_trylock(lock) == EBUSY);
	pid_t killer = fork();
	CHECK(killer >= 0);
	if (killer == 0) {
		sleep_ms(20);
		CHECK(kill(owner, SIGKILL) == 0);
		_exit(0);
	}
	CHECK(pthread_mutex_lock(lock) == EOWNERDEAD);
	CHECK(died_of(wait_for(owner), SIGKILL) && passed(wait_for(killer)));
	CHECK(pthread_mutex_consistent(lock) == 0 && pthread_mutex_unlock(lock) == 0);
	CHECK(pthread_mutex_lock(lock) == 0 && pthread_mutex_unlock(lock) == 0);
}
