// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 4
#include "test.h"
#include <pthread.h>
#include <sched.h>

enum { THREADS = 4, ROUNDS = 50 };

static int round_of[THREADS];

// Nothing but another of its priority can take away the vCPU of such a thread, and only if it
// sleeps: that all of them pass a barrier without a call means that all run at the same time.
static void *meets(void *argument)
{
	int self = (intptr_t)argument;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(self, &set);
	CHECK(sched_setaffinity(0, sizeof set, &set) == 0 && sched_getcpu() == self);
	CHECK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &(struct sched_param){ .sched_priority = 1 }) == 0);
	for (int round = 1; round <= ROUNDS; round++) {
		__atomic_store_n(&round_of[self], round, __ATOMIC_SEQ_CST);
		for (int i = 0; i < THREADS; i++) while (__atomic_load_n(&round_of[i], __ATOMIC_SEQ_CST) < round);
	}
	CHECK(sched_getcpu() == self);
	return 0;
}

int main(void)
{
	pthread_t ids[THREADS];
	for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&ids[i], 0, meets, (void *)(intptr_t)i) == 0);
	for (int i = 0; i < THREADS; i++) CHECK(pthread_join(ids[i], 0) == 0);
}
