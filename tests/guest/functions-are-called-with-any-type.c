// SPDX-License-Identifier: MIT OR Apache-2.0
// The calling conventions of CPUs let a call have another type than the function: integers go to the integer
// registers in their order, floating point to its own, and nobody checks. What nobody gave is whatever is there.
#pragma clang diagnostic ignored "-Wunused-parameter"
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <ftw.h>
#include <search.h>
#include <threads.h>
#include <ucontext.h>
#include "test.h"

// The cast that compilers do not warn of.
typedef void (*any)(void);

static volatile int seen;

static int one(int a) { return a + 1; }
static int three(int a, int b, int c) { seen = a; return b - b + c - c + a; }
static long long wide(long long a, int b) { return a * 2 + b; }
static int narrow(int a, int b) { return a - b; }
static double mixed(int a, double b, int c, float d) { return a + b + c + d; }
static long long gives_wide(void) { return -5; }
static float gives_float(float x) { return x / 2; }
static void gives_nothing(int x) { seen = x; }

static void calls(void)
{
	// Fewer arguments than the function has.
	int (*volatile none)(void) = (int (*)(void))(any)one;
	none();
	int (*volatile few)(int) = (int (*)(int))(any)three;
	CHECK(few(41) == 41 && seen == 41);

	// An int for a long long, and the other way round: `int` where the definition has `off_t`.
	long long (*volatile to_wide)(int, int) = (long long (*)(int, int))(any)wide;
	CHECK(to_wide(-3, 1) == -5);
	int (*volatile to_narrow)(long long, long long) = (int (*)(long long, long long))(any)narrow;
	CHECK(to_narrow(7, 5) == 2);

	// Integers and floating point are counted by themselves.
	double (*volatile order)(double, int, float, int) = (double (*)(double, int, float, int))(any)mixed;
	CHECK(order(0.5, 1, 0.25f, 2) == 3.75);

	// Results.
	int (*volatile cut)(void) = (int (*)(void))(any)gives_wide;
	CHECK(cut() == -5);
	long long (*volatile extended)(int) = (long long (*)(int))(any)one;
	CHECK(extended(-3) == -2);
	double (*volatile doubled)(double) = (double (*)(double))(any)gives_float;
	CHECK(doubled(3) == 1.5);
	long long (*volatile zero)(long long) = (long long (*)(long long))(any)gives_nothing;
	zero(9);
	CHECK(seen == 9);
	void (*volatile nobody)(int) = (void (*)(int))(any)gives_float;
	nobody(1);
}

static int child_without(void) { seen = 7; return 5; }
static void *thread_with_more(void *p, int nobody) { seen = *(int *)p; return p; }
static int c11_without(void) { return 6; }
static void handler_with_more(int signal, siginfo_t *info, void *context, int nobody) { seen = signal; }
static void cleanup(void) { seen = 8; }
static void key(void) { seen++; }
static void context_with_more(int a, int b) { seen = a; }
static int compare(const int *a, const int *b, void *nobody) { return *a - *b; }
static int visit(const char *path) { seen++; return 0; }
static void walk(const void *node) { seen++; }
static void notify(void) { seen = 10; }

static void *cancelled(void *p)
{
	pthread_cleanup_push((void (*)(void *))(any)cleanup, 0);
	pthread_setspecific(*(pthread_key_t *)p, p);
	pthread_exit(0);
	pthread_cleanup_pop(0);
}

static void libraries(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int value = 4, status;
	for (int flags = 0; flags <= CLONE_VM; flags += CLONE_VM) {
		seen = 0;
		pid_t child = clone((int (*)(void *))(any)child_without, stack + sizeof stack, flags | SIGCHLD, &value);
		CHECK(child > 0 && waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5 && seen == (flags ? 7 : 0));
	}

	pthread_t thread;
	void *result;
	CHECK(!pthread_create(&thread, 0, (void *(*)(void *))(any)thread_with_more, &value));
	CHECK(!pthread_join(thread, &result) && result == &value && seen == 4);

	pthread_key_t k;
	CHECK(!pthread_key_create(&k, (void (*)(void *))(any)key));
	CHECK(!pthread_create(&thread, 0, cancelled, &k) && !pthread_join(thread, &result));
	CHECK(seen == 9);

	thrd_t c11;
	int code;
	CHECK(thrd_create(&c11, (thrd_start_t)(any)c11_without, 0) == thrd_success);
	CHECK(thrd_join(c11, &code) == thrd_success && code == 6);

	handle(SIGUSR1, (void (*)(int))(any)handler_with_more, 0);
	raise(SIGUSR1);
	CHECK(seen == SIGUSR1);

	ucontext_t here, there;
	CHECK(!getcontext(&there));
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof stack;
	there.uc_link = &here;
	makecontext(&there, (void (*)(void))(any)context_with_more, 1, 12);
	CHECK(!swapcontext(&here, &there) && seen == 12);

	int numbers[] = { 3, 1, 2 };
	qsort(numbers, 3, sizeof *numbers, (int (*)(const void *, const void *))(any)compare);
	CHECK(numbers[0] == 1 && numbers[2] == 3);

	seen = 0;
	CHECK(!ftw("/proc/self/fd", (int (*)(const char *, const struct stat *, int))(any)visit, 8) && seen > 2);
	seen = 0;
	void *root = 0;
	CHECK(tsearch(&numbers[0], &root, (int (*)(const void *, const void *))(any)compare));
	twalk(root, (void (*)(const void *, VISIT, int))(any)walk);
	CHECK(seen == 1);

	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD };
	event.sigev_notify_function = (void (*)(union sigval))(any)notify;
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	CHECK(!timer_settime(timer, 0, &(struct itimerspec){ .it_value.tv_nsec = 1000000 }, 0));
	for (int i = 0; i < 1000 && seen != 10; i++) sleep_ms(2);
	CHECK(seen == 10);
}

// At the end, in the other order.
static int at_exit(int nobody) { _exit(seen == 11 ? 0 : 1); return 0; }
static void before(void) { seen = 11; }

// A table that the C library walks.
__attribute__((constructor)) static int begins(void) { seen = 1; return 3; }

int main(void)
{
	CHECK(seen == 1);
	calls();
	libraries();
	atexit((void (*)(void))(any)at_exit);
	atexit(before);
	return 1;
}
