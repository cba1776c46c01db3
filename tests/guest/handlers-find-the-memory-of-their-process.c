// SPDX-License-Identifier: MIT OR Apache-2.0
// Forked processes with timers: each handler sees its own process's memory, whichever process ran before it.
#include "test.h"
#include <sys/time.h>

enum { PROCESSES = 3, HANDLED = 100, WORDS = 16384 };

static int words[WORDS];
static int own;
static volatile int handled, wrong;

static void look(int signal)
{
	(void)signal;
	for (int i = 0; i < WORDS; i += 512)
		if (words[i] != own) wrong = 1;
	handled++;
}

static int child(int number)
{
	const struct itimerval interval = { { 0, 1000 }, { 0, 1000 } };

	own = number;
	for (int i = 0; i < WORDS; i++) words[i] = number;
	handle(SIGALRM, look, 0);
	CHECK(setitimer(ITIMER_REAL, &interval, NULL) == 0);
	while (handled < HANDLED)
		for (int i = 0; i < WORDS; i++) CHECK(words[i] == number);
	CHECK(!wrong);
	return 0;
}

int main(void)
{
	pid_t pids[PROCESSES];

	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) return child(i + 1);
		CHECK(pids[i] > 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		CHECK(waitpid(pids[i], &status, 0) == pids[i]);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	return 0;
}
