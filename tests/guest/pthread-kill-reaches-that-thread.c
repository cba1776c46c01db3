// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>
#include <semaphore.h>

static sem_t ready, handled;
static pthread_t thread;
static volatile int right;

static void handler(int signal)
{
	right = signal == SIGUSR1 && pthread_equal(pthread_self(), thread);
	sem_post(&handled);
}

static void *run(void *argument)
{
	sem_post(&ready);
	for (;;) pause();
	return argument;
}

int main(void)
{
	handle(SIGUSR1, handler, 0);
	CHECK(sem_init(&ready, 0, 0) == 0 && sem_init(&handled, 0, 0) == 0);
	CHECK(pthread_create(&thread, 0, run, 0) == 0 && sem_wait(&ready) == 0);
	CHECK(pthread_kill(thread, SIGUSR1) == 0);
	while (sem_wait(&handled)) CHECK(errno == EINTR);
	CHECK(right);
}
