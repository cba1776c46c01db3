// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 1
// However a program goes round, a signal reaches it, its handler runs, and others get their share of the
// only vCPU.
#include <setjmp.h>
#include <sys/time.h>
#include <ucontext.h>
#include "test.h"

#define NOINLINE __attribute__((noinline))

static volatile unsigned long rounds;
static volatile int always = 1;

static void loop(void)
{
	while (always) rounds++;
}

// Calls itself twice, and is never done.
static NOINLINE void tree(int depth)
{
	rounds++;
	if (depth == 0) return;
	tree(depth - 1);
	rounds++;
	tree(depth - 1);
	rounds++;
}

static void recursion(void) { tree(100); }

static NOINLINE void even(int depth);

static NOINLINE void odd(int depth)
{
	if (depth > 0) even(depth - 1);
	rounds++;
	if (depth > 0) even(depth - 1);
	rounds++;
}

static void even(int depth)
{
	if (depth > 0) odd(depth - 1);
	rounds++;
	if (depth > 0) odd(depth - 1);
	rounds++;
}

static void mutual_recursion(void) { even(100); }

static void through_pointer(int depth);
static void (*volatile pointer)(int) = through_pointer;

static void through_pointer(int depth)
{
	rounds++;
	if (depth == 0) return;
	pointer(depth - 1);
	rounds++;
	pointer(depth - 1);
	rounds++;
}

static void recursion_through_pointer(void) { pointer(100); }

// No function calls itself, and 2^64 calls are made.
#define TWICE(name, callee) \
	static NOINLINE void name(int n) \
	{ \
		callee(n); \
		rounds++; \
		callee(n); \
		rounds++; \
	}
#define TWICE8(name, callee) \
	TWICE(name##1, callee) TWICE(name##2, name##1) TWICE(name##3, name##2) TWICE(name##4, name##3) \
	TWICE(name##5, name##4) TWICE(name##6, name##5) TWICE(name##7, name##6) TWICE(name, name##7)

static NOINLINE void leaf(int n) { rounds += n; }

TWICE8(a, leaf) TWICE8(b, a) TWICE8(c, b) TWICE8(d, c)
TWICE8(e, d) TWICE8(f, e) TWICE8(g, f) TWICE8(h, g)

static void chain_of_calls(void) { h(1); }

static jmp_buf place;
static NOINLINE void jump_back(void) { rounds++; longjmp(place, 1); }

static void jumps(void)
{
	setjmp(place);
	jump_back();
}

static void jumps_to_one_of_two(void)
{
	jmp_buf other;
	if (setjmp(other)) longjmp(place, 1);
	setjmp(place);
	longjmp(other, 1);
}

static sigjmp_buf sigplace;
static void jump_out(int signal) { rounds++; siglongjmp(sigplace, signal); }

static void handlers_that_jump_out(void)
{
	handle(SIGUSR1, jump_out, 0);
	sigsetjmp(sigplace, 1);
	raise(SIGUSR1);
}

static void faults_left_by_jumps(void)
{
	handle(SIGSEGV, jump_out, 0);
	sigsetjmp(sigplace, 1);
	*(volatile int *)16 = 1;
}

static void do_nothing(int signal) { rounds += signal; }

static void faults_that_stay(void)
{
	handle(SIGSEGV, do_nothing, 0);
	*(volatile int *)16 = 1;
}

static void traps_that_stay(void)
{
	handle(SIGILL, do_nothing, 0);
	__builtin_trap();
}

static void raise_again(int signal) { rounds++; raise(signal); }

static void handlers_that_raise(void)
{
	handle(SIGUSR1, raise_again, 0);
	raise(SIGUSR1);
}

static ucontext_t here, there;
static char stack[65536];

static void swap_back(void)
{
	rounds++;
	swapcontext(&there, &here);
	rounds++;
	setcontext(&here);
}

static void contexts(void)
{
	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof stack;
	makecontext(&there, swap_back, 0);
	getcontext(&here);
	rounds++;
	setcontext(&there);
}

static void one_context(void)
{
	getcontext(&here);
	rounds++;
	setcontext(&here);
}

#pragma clang attribute push(__attribute__((target("tail-call"))), apply_to = function)
#define TAIL __attribute__((musttail)) return

static NOINLINE void tail_there(int n);
static NOINLINE void tail_here(int n) { rounds++; TAIL tail_there(n + 1); }
static void tail_there(int n) { rounds++; TAIL tail_here(n - 1); }
static void tail_calls(void) { tail_here(0); }

static void tail_through_pointer(int n);
static void (*volatile tail_pointer)(int) = tail_through_pointer;
static void tail_through_pointer(int n) { rounds++; TAIL tail_pointer(n + 1); }
static void tail_calls_through_pointer(void) { tail_pointer(0); }
#pragma clang attribute pop

static const struct {
	const char *name;
	void (*go)(void);
} cycles[] = {
#define CYCLE(name) { #name, name }
	CYCLE(loop), CYCLE(recursion), CYCLE(mutual_recursion), CYCLE(recursion_through_pointer),
	CYCLE(chain_of_calls), CYCLE(jumps), CYCLE(jumps_to_one_of_two), CYCLE(handlers_that_jump_out),
	CYCLE(faults_left_by_jumps), CYCLE(faults_that_stay), CYCLE(traps_that_stay),
	CYCLE(handlers_that_raise), CYCLE(contexts), CYCLE(one_context),
	CYCLE(tail_calls), CYCLE(tail_calls_through_pointer),
};

static volatile int ticks;

static void tick(int signal)
{
	if (++ticks == 3) _exit(42 + (signal != SIGALRM));
}

static pid_t start(void (*go)(void), int with_timer)
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (child) return child;
	if (with_timer) {
		struct itimerval timer = { { 0, 2000 }, { 0, 2000 } };
		handle(SIGALRM, tick, 0);
		CHECK(setitimer(ITIMER_REAL, &timer, 0) == 0);
	}
	go();
	_exit(1);
}

// Ends by a signal that comes from outside, which needs others to run.
static int is_killed(void (*go)(void), int signal)
{
	pid_t child = start(go, 0);
	sleep_ms(5);
	if (waitpid(child, 0, WNOHANG) != 0) return 0;
	CHECK(kill(child, signal) == 0);
	return died_of(wait_for(child), signal);
}

int main(void)
{
	// What hangs is named before.
	setvbuf(stdout, 0, _IOLBF, 0);
	for (unsigned i = 0; i < sizeof cycles / sizeof *cycles; i++) {
		printf("%s\n", cycles[i].name);
		CHECK(is_killed(cycles[i].go, SIGKILL));
		CHECK(is_killed(cycles[i].go, SIGTERM));
		int status = wait_for(start(cycles[i].go, 1));
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	}
}
