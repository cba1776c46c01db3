// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>

enum { ROUNDS = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *play(void *argument)
{
	int me = argument != 0;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < ROUNDS; i++) {
		while (turn % 2 != me) pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_signal(&changed);
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

int main(void)
{
	pthread_t other;
	CHECK(pthread_create(&other, 0, play, &changed) == 0);
	play(0);
	CHECK(pthread_join(other, 0) == 0 && turn == 2 * ROUNDS);
}
