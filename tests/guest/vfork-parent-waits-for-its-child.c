// SPDX-License-Identifier: MIT OR Apache-2.0
// The caller of vfork goes on when its child has called exec or has ended, whatever that took.
#include "test.h"
#include <pthread.h>

static volatile int steps, other_runs;

static void *runs(void *argument)
{
	for (;;) {
		other_runs++;
		sleep_ms(1);
	}
	return argument;
}

static void waits_for_exit(void)
{
	steps = 0;
	int ends[2];
	CHECK(pipe(ends) == 0);
	pid_t child = vfork();
	if (child == 0) {
		for (int i = 0; i < 5; i++) {
			sleep_ms(4);
			steps++;
		}
		int copy = dup(ends[1]);
		if (copy < 0 || write(copy, "x", 1) != 1) _exit(1);
		steps++;
		_exit(9);
	}
	CHECK(child > 0 && steps == 6);
	int status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
	// Memory is shared, descriptors are not.
	CHECK(read(ends[0], &(char){ 0 }, 1) == 1 && close(ends[1]) == 0);
	CHECK(read(ends[0], &(char){ 0 }, 1) == 0 && close(ends[0]) == 0);
}

static void waits_for_exec(void)
{
	steps = 0;
	pid_t child = vfork();
	if (child == 0) {
		sleep_ms(20);
		execl("/nonexistent", "nothing", (char *)0);
		steps += errno == ENOENT;
		execl("/proc/self/exe", "self", "sleeps", (char *)0);
		_exit(127);
	}
	CHECK(child > 0 && steps == 1);
	// It goes on while the program runs.
	CHECK(waitpid(child, 0, WNOHANG) == 0);
	CHECK(kill(child, SIGKILL) == 0 && died_of(wait_for(child), SIGKILL));
}

static void waits_for_death(void)
{
	steps = 0;
	pid_t child = vfork();
	if (child == 0) {
		sleep_ms(20);
		steps = 1;
		// raise would take the thread id from memory, which is the parent's.
		kill(getpid(), SIGKILL);
		_exit(127);
	}
	CHECK(child > 0 && steps == 1 && died_of(wait_for(child), SIGKILL));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		for (;;) pause();
	}
	waits_for_exit();
	waits_for_exec();
	waits_for_death();
	// Only the thread that called it waits.
	pthread_t thread;
	CHECK(pthread_create(&thread, 0, runs, 0) == 0);
	int before = other_runs;
	pid_t child = vfork();
	if (child == 0) {
		for (int i = 0; i < 1000 && other_runs < before + 5; i++) sleep_ms(1);
		_exit(other_runs < before + 5);
	}
	CHECK(passed(wait_for(child)));
}
