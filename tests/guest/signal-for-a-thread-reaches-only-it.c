// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>
#include <sched.h>

enum { THREADS = 8 };

static _Thread_local int mine = -1;
static volatile int got[THREADS + 1];
static volatile int ready, stop;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)context;
	CHECK(signal == SIGUSR1 && info->si_pid == getpid());
	got[mine]++;
}

static void *runs(void *argument)
{
	mine = (intptr_t)argument;
	__atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
	// Half of them in a loop without calls, half in the kernel.
	while (!stop)
		if (mine % 2) sleep_ms(1);
	return 0;
}

int main(void)
{
	pthread_t ids[THREADS];
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	mine = THREADS;
	CHECK(sigaction(SIGUSR1, &action, 0) == 0);
	for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&ids[i], 0, runs, (void *)(intptr_t)i) == 0);
	while (ready < THREADS) sleep_ms(1);
	for (int round = 1; round <= 10; round++)
		for (int i = 0; i < THREADS; i++) {
			CHECK(pthread_kill(ids[i], SIGUSR1) == 0);
			while (got[i] < round) sched_yield();
			for (int j = 0; j < THREADS; j++) CHECK(got[j] == round - (j > i));
		}
	CHECK(got[THREADS] == 0);

	// One for the process reaches the one that does not block it.
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	stop = 1;
	for (int i = 0; i < THREADS; i++) CHECK(pthread_join(ids[i], 0) == 0);
	CHECK(pthread_sigmask(SIG_BLOCK, &mask, 0) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0 && got[THREADS] == 0);
	int signal;
	CHECK(sigwait(&mask, &signal) == 0 && signal == SIGUSR1 && got[THREADS] == 0);
}
