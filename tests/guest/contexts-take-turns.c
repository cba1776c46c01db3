// SPDX-License-Identifier: MIT OR Apache-2.0
// getcontext, makecontext, swapcontext, setcontext.
#include "test.h"
#include <pthread.h>
#include <setjmp.h>
#include <ucontext.h>

enum { STACK = 64 << 10, MANY = 500 };

static ucontext_t back, left, right;
static char trace[256];

static void note(char what)
{
	size_t length = strlen(trace);
	CHECK(length + 1 < sizeof trace);
	trace[length] = what;
}

static void *stack(void)
{
	void *memory = malloc(STACK);
	CHECK(memory);
	return memory;
}

static void make(ucontext_t *context, ucontext_t *link, void (*function)(), int argc, int a, int b)
{
	CHECK(getcontext(context) == 0);
	context->uc_stack.ss_sp = stack();
	context->uc_stack.ss_size = STACK;
	context->uc_link = link;
	makecontext(context, function, argc, a, b);
}

static void is_left(void)
{
	for (int i = 0; i < 3; i++) {
		note('l');
		CHECK(swapcontext(&left, &right) == 0);
	}
}

static void is_right(int first, int second)
{
	volatile int on_the_stack = first + second;
	for (int i = 0; i < 3; i++) {
		note('a' + on_the_stack + i);
		CHECK(swapcontext(&right, &left) == 0);
	}
	CHECK(on_the_stack == first + second);
}

static void two_take_turns_and_the_link_follows(void)
{
	make(&left, &back, is_left, 0, 0, 0);
	make(&right, 0, is_right, 2, 3, 4);
	CHECK(swapcontext(&back, &left) == 0);
	CHECK(strcmp(trace, "lhlilj") == 0);
}

static unsigned sum_below(unsigned depth, ucontext_t *self, ucontext_t *other)
{
	if (depth == 0) {
		CHECK(swapcontext(self, other) == 0);
		return 0;
	}
	return depth + sum_below(depth - 1, self, other);
}

static unsigned sum;

static void sums(int depth)
{
	sum += sum_below(depth, &left, &back);
}

// The frames of the depth stay while others run.
static void deep_frames_are_kept(void)
{
	make(&left, &back, sums, 1, 2000, 0);
	CHECK(swapcontext(&back, &left) == 0);
	CHECK(sum == 0 && sum_below(50, &back, &left) == 50 * 51 / 2);
	CHECK(sum == 2000 * 2001 / 2);
}

static ucontext_t many[MANY];
static int turns[MANY];

static void one_of_many(int n, int rounds)
{
	while (rounds--) {
		turns[n]++;
		CHECK(swapcontext(&many[n], n + 1 < MANY ? &many[n + 1] : &back) == 0);
	}
}

static void many_run_round_robin(void)
{
	for (int i = 0; i < MANY; i++) make(&many[i], &back, one_of_many, 2, i, 10);
	for (int round = 0; round < 10; round++) CHECK(swapcontext(&back, &many[0]) == 0);
	for (int i = 0; i < MANY; i++) CHECK(turns[i] == 10);
}

static void a_context_can_be_set_again_and_again(void)
{
	volatile int times = 0;
	ucontext_t here;
	CHECK(getcontext(&here) == 0);
	if (++times < 5) setcontext(&here);
	CHECK(times == 5);
}

static void jumps(void)
{
	jmp_buf place;
	int value = setjmp(place);
	if (value == 0) {
		CHECK(swapcontext(&left, &back) == 0);
		longjmp(place, 7);
	}
	CHECK(value == 7);
	note('j');
}

static void setjmp_works_inside(void)
{
	memset(trace, 0, sizeof trace);
	make(&left, &back, jumps, 0, 0, 0);
	CHECK(swapcontext(&back, &left) == 0);
	CHECK(swapcontext(&back, &left) == 0);
	CHECK(strcmp(trace, "j") == 0);
}

static void masks(void)
{
	sigset_t mask;
	CHECK(sigprocmask(SIG_BLOCK, 0, &mask) == 0 && sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2));
}

static void each_has_its_signal_mask(void)
{
	sigset_t mask, before;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, &mask, &before) == 0);
	make(&left, &back, masks, 0, 0, 0);
	CHECK(sigprocmask(SIG_SETMASK, &before, 0) == 0);
	CHECK(swapcontext(&back, &left) == 0);
	CHECK(sigprocmask(SIG_BLOCK, 0, &mask) == 0 && !sigismember(&mask, SIGUSR1));
}

static void forks(void)
{
	pid_t child = fork();
	CHECK(child >= 0);
	CHECK(swapcontext(&left, &back) == 0);
	if (child == 0) _exit(sum_below(10, &left, &back));
	int status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 55);
}

// Both processes have all contexts.
static void fork_copies_those_that_wait(void)
{
	pid_t self = getpid();
	make(&left, &back, forks, 0, 0, 0);
	CHECK(swapcontext(&back, &left) == 0);
	CHECK(swapcontext(&back, &left) == 0);
	if (getpid() != self) {
		// In the depth of the sum.
		CHECK(swapcontext(&back, &left) == 0);
		_exit(1);
	}
}

static void *in_a_thread(void *unused)
{
	(void)unused;
	ucontext_t here, made;
	void *memory = stack();
	CHECK(getcontext(&made) == 0);
	made.uc_stack.ss_sp = memory;
	made.uc_stack.ss_size = STACK;
	made.uc_link = &here;
	static __thread int calls;
	makecontext(&made, (void (*)())masks, 0);
	sigaddset(&made.uc_sigmask, SIGUSR1);
	CHECK(swapcontext(&here, &made) == 0);
	calls++;
	CHECK(calls == 1);
	free(memory);
	return 0;
}

static void what_nobody_kept_cannot_be_set(void)
{
	static ucontext_t nothing;
	CHECK(setcontext(&nothing) == -1 && errno == EINVAL);
	CHECK(swapcontext(&back, &nothing) == -1 && errno == EINVAL);
}

int main(void)
{
	two_take_turns_and_the_link_follows();
	deep_frames_are_kept();
	many_run_round_robin();
	a_context_can_be_set_again_and_again();
	setjmp_works_inside();
	each_has_its_signal_mask();
	fork_copies_those_that_wait();
	pthread_t threads[4];
	for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], 0, in_a_thread, 0) == 0);
	for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], 0) == 0);
	what_nobody_kept_cannot_be_set();
}
