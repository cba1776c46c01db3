// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pthread.h>
#include <setjmp.h>

static char alternate[65536];
static sigjmp_buf back;
static volatile int overflows, on_it, is_copy;

static void handler(int signal, siginfo_t *info, void *context)
{
	char local;
	(void)context;
	CHECK(signal == SIGSEGV && info->si_code > 0);
	on_it = &local > alternate && &local < alternate + sizeof alternate;
	// There is room for more than this frame.
	char path[100];
	snprintf(path, sizeof path, "%d %p", signal, info->si_addr);
	overflows++;
	if (!is_copy) {
		// A child is as deep.
		pid_t child = fork();
		CHECK(child >= 0);
		if (child > 0) CHECK(passed(wait_for(child)));
		is_copy = child == 0;
	}
	siglongjmp(back, 1);
}

static volatile int depth, limit = -1;

// Its frame is in memory.
__attribute__((noinline)) static int with_locals(int n)
{
	volatile char local[512];
	local[n % 512] = n;
	if (depth++ == limit) return 0;
	return with_locals(n + 1) + local[n % 512];
}

// Its frame holds a return address and little else.
__attribute__((noinline)) static int without_locals(int n)
{
	if (depth++ == limit) return 0;
	return without_locals(n + 1) * 3 + depth;
}

static void overflow(void)
{
	int (*const functions[])(int) = { with_locals, without_locals };
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
	CHECK(sigaltstack(&stack, 0) == 0);
	for (volatile int i = 0; i < 6; i++) {
		overflows = on_it = depth = 0;
		if (sigsetjmp(back, 1) == 0) functions[i % 2](0);
		CHECK(overflows == 1 && on_it && depth > 100);
		if (is_copy) _exit(0);
	}
}

static void *in_a_thread(void *argument)
{
	overflow();
	return argument;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	CHECK(sigaction(SIGSEGV, &action, 0) == 0);
	overflow();
	pthread_t id;
	CHECK(pthread_create(&id, 0, in_a_thread, 0) == 0 && pthread_join(id, 0) == 0);
	// A handler that is not on another stack has no place: it is not called.
	handle(SIGSEGV, SIG_DFL, 0);
	pid_t child = fork();
	if (child == 0) {
		action.sa_flags = SA_SIGINFO;
		CHECK(sigaction(SIGSEGV, &action, 0) == 0);
		if (sigsetjmp(back, 1) == 0) with_locals(0);
		_exit(0);
	}
	CHECK(died_of(wait_for(child), SIGSEGV));
}
