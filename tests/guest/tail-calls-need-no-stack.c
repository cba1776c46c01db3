// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 1
// Functions that end with `musttail` calls go on for as long as they like: each takes the place of the one
// before, in threads and handlers, with arguments in registers and on the stack. Such a round without a loop
// still lets signals in.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "test.h"

#define TAIL __attribute__((musttail)) return

#pragma clang attribute push(__attribute__((target("tail-call"))), apply_to = function)

enum { ROUNDS = 3000000 };

struct state {
	long count;
	jmp_buf *out;
};

typedef int rounds(int n, struct state *state);
typedef int many(int n, struct state *, long long, long long, double, long long, int, int, int, long long);

static rounds ping, pong;
static many wide;
static rounds *volatile next = pong;
static many *volatile widest = wide;

static int ping(int n, struct state *state)
{
	state->count++;
	TAIL next(n - 1, state);
}

// The arguments do not fit into registers.
static int wide(int n, struct state *state, long long a, long long b, double c, long long d, int e, int f,
		int g, long long h)
{
	if (a != n || b != 2 || c != 3.5 || d != 4 || e != 5 || f != 6 || g != 7 || h != -n)
		return -1;
	if (n == 0)
		return ping(ROUNDS, state);
	TAIL widest(n - 1, state, n - 1, b, c, d, e, f, g, 1 - n);
}

static int pong(int n, struct state *state)
{
	if (n <= 0) {
		if (state->out)
			longjmp(*state->out, 7);
		return 42;
	}
	TAIL ping(n, state);
}

static void *thread(void *state)
{
	return (void *)(long)wide(ROUNDS, state, ROUNDS, 2, 3.5, 4, 5, 6, 7, -ROUNDS);
}

static volatile int handled;

static void handle_last(int sig)
{
	handled = sig;
}

static void (*volatile last)(int) = handle_last;

static void relay(int sig)
{
	TAIL last(sig);
}

static int again(int x);
static int (*volatile forever)(int) = again;

static int again(int x)
{
	TAIL forever(x + 1);
}

static int up(int x);
static int down(int x);

static int up(int x)
{
	TAIL down(x + 1);
}

static int down(int x)
{
	TAIL up(x - 1);
}

#pragma clang attribute pop

static int ends_by_a_signal(int (*spin)(int))
{
	pid_t child = fork();
	if (!child) {
		alarm(1);
		_exit(spin(0));
	}
	int status;
	CHECK(waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
}

static sigjmp_buf jumped;

static void jump(int sig)
{
	siglongjmp(jumped, sig);
}

int main(void)
{
	struct state state = { 0 };
	CHECK(ping(ROUNDS, &state) == 42);
	CHECK(state.count == ROUNDS);

	pthread_t threads[2];
	struct state theirs[2] = { 0 };
	void *result;
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&threads[i], 0, thread, &theirs[i]));
	for (int i = 0; i < 2; i++) {
		CHECK(!pthread_join(threads[i], &result));
		CHECK((long)result == 42 && theirs[i].count == ROUNDS);
	}

	jmp_buf out;
	static struct state leaving;
	leaving.out = &out;
	int how = setjmp(out);
	if (!how)
		ping(1000, &leaving);
	CHECK(how == 7 && leaving.count == 1000);

	signal(SIGUSR1, relay);
	CHECK(!raise(SIGUSR1) && handled == SIGUSR1);

	CHECK(ends_by_a_signal(again));
	CHECK(ends_by_a_signal(up));

	// A handler leaves such a round, too.
	struct itimerval soon = { .it_value.tv_usec = 20000 };
	signal(SIGALRM, jump);
	how = sigsetjmp(jumped, 1);
	if (!how) {
		CHECK(!setitimer(ITIMER_REAL, &soon, 0));
		up(0);
	}
	CHECK(how == SIGALRM);
}
