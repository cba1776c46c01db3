// SPDX-License-Identifier: MIT OR Apache-2.0
// SIGKILL ends a process at once, whatever it does.
#include "test.h"
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

static volatile int *started;
// A process that the killed one leaves.
static volatile pid_t *left;

// Far more than a busy host needs, far less than the vfork child sleeps.
enum { LIMIT_MS = 20000, SLEEP_MS = 60000 };

static void blocks_all_signals(void)
{
	sigset_t all;
	sigfillset(&all);
	CHECK(sigprocmask(SIG_SETMASK, &all, 0) == 0);
	*started = 1;
	for (;;);
}

static void waits_for_input(void)
{
	int ends[2];
	CHECK(pipe(ends) == 0);
	*started = 1;
	for (;;) read(ends[0], &(char){ 0 }, 1);
}

static void is_stopped(void)
{
	*started = 1;
	for (;;) raise(SIGSTOP);
}

static void waits_for_a_vfork_child(void)
{
	if (vfork() == 0) {
		*left = getpid();
		*started = 1;
		sleep_ms(SLEEP_MS);
		_exit(0);
	}
	for (;;) pause();
}

static void is_in_its_handler(int signal)
{
	*started = signal;
	for (;;);
}

static void handles_a_fault(void)
{
	handle(SIGSEGV, is_in_its_handler, 0);
	*(volatile int *)8 = 1;
}

static void faults_again_and_again(void)
{
	handle(SIGSEGV, SIG_DFL, 0);
	char *memory = mmap(0, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	*started = 1;
	for (;;) {
		memset(memory, 1, 16 << 20);
		madvise(memory, 16 << 20, MADV_DONTNEED);
	}
}

static void *spins(void *argument)
{
	for (;;);
	return argument;
}

static void *sleeps(void *argument)
{
	for (;;) pause();
	return argument;
}

static void has_threads(void)
{
	pthread_t thread;
	for (int i = 0; i < 6; i++) CHECK(pthread_create(&thread, 0, i % 2 ? spins : sleeps, 0) == 0);
	*started = 1;
	// The first thread has gone.
	pthread_exit(0);
}

static void forks(void)
{
	handle(SIGCHLD, SIG_IGN, 0);
	*started = 1;
	for (;;) if (fork() == 0) _exit(0);
}

static void is_in_a_long_system_call(void)
{
	enum { PIECES = 1000, PIECE = 1 << 20 };
	static char piece[PIECE];
	struct iovec pieces[PIECES];
	for (int i = 0; i < PIECES; i++) pieces[i] = (struct iovec){ piece, PIECE };
	int zero = open("/dev/zero", O_RDONLY);
	*started = 1;
	for (;;) readv(zero, pieces, PIECES);
}

static void is_traced(void)
{
	// By the parent, which never looks.
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
	*started = 1;
	for (;;) raise(SIGUSR1);
}

int main(void)
{
	void (*const bodies[])(void) = {
		blocks_all_signals, waits_for_input, is_stopped, waits_for_a_vfork_child, handles_a_fault,
		faults_again_and_again, has_threads, forks, is_in_a_long_system_call, is_traced,
	};
	started = shared_page();
	left = started + 1;
	for (unsigned i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct timespec before, after;
		*started = *left = 0;
		pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			bodies[i]();
			_exit(0);
		}
		while (!*started) sleep_ms(1);
		sleep_ms(10);
		clock_gettime(CLOCK_MONOTONIC, &before);
		CHECK(kill(child, SIGKILL) == 0);
		int status;
		// A tracer may be told of a stop first.
		do status = wait_for(child); while (WIFSTOPPED(status));
		clock_gettime(CLOCK_MONOTONIC, &after);
		CHECK(died_of(status, SIGKILL));
		long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
		if (ms >= LIMIT_MS) dprintf(2, "number %u took %ld ms\n", i, ms);
		CHECK(ms < LIMIT_MS);
		CHECK(!*left || kill(*left, SIGKILL) == 0);
	}
}
