// SPDX-License-Identifier: MIT OR Apache-2.0
// A test is one program about one behaviour, named by it. It passes if it exits with 0, on Linnet as
// on any other Linux.
#ifndef TEST_H
#define TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Ends the process with status 1 and says where if `condition` does not hold.
#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			dprintf(2, "%s:%d: %s (errno %d: %s)\n", __FILE__, __LINE__, #condition, errno, strerror(errno)); \
			_exit(1); \
		} \
	} while (0)

// A test that hangs has failed.
__attribute__((constructor)) static void limit_time(void)
{
	alarm(60);
}

// Waits for that child; its status as waitpid gives it.
__attribute__((unused)) static int wait_for(pid_t child)
{
	int status;
	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

// Runs `body` in a child; its status as waitpid gives it.
__attribute__((unused)) static int status_of(void (*body)(void))
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		body();
		_exit(0);
	}
	return wait_for(child);
}

__attribute__((unused)) static int passed(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

__attribute__((unused)) static int died_of(int status, int signal)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

__attribute__((unused)) static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	CHECK(sigaction(signal, &action, 0) == 0);
}

// Sleeps whatever signals come.
__attribute__((unused)) static void sleep_ms(int ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000L };
	while (nanosleep(&left, &left) && errno == EINTR);
}

// What a clock says, in seconds.
__attribute__((unused)) static double seconds_of(clockid_t clock)
{
	struct timespec time;
	CHECK(clock_gettime(clock, &time) == 0);
	return time.tv_sec + time.tv_nsec / 1e9;
}

// Memory that stays shared with children.
__attribute__((unused)) static void *shared_page(void)
{
	void *page = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	return page;
}

#endif
