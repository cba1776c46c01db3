// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <dirent.h>
#include <pthread.h>

static void *waits(void *argument)
{
	(void)argument;
	pause();
	return 0;
}

static void *loops(void *argument)
{
	(void)argument;
	for (;;);
	return 0;
}

static void *execs(void *argument)
{
	(void)argument;
	char pid[20];
	snprintf(pid, sizeof pid, "%d", getpid());
	execl("/proc/self/exe", "self", pid, (char *)0);
	_exit(1);
}

static int threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = -2;
	while (readdir(tasks)) count++;
	closedir(tasks);
	return count;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		// The thread that called exec has become the process.
		CHECK(atoi(argv[1]) == getpid() && gettid() == getpid() && threads() == 1);
		return 12;
	}
	for (int from_a_thread = 0; from_a_thread < 2; from_a_thread++) {
		pid_t child = fork();
		if (child == 0) {
			pthread_t id;
			for (int i = 0; i < 4; i++) CHECK(pthread_create(&id, 0, i % 2 ? waits : loops, 0) == 0);
			sleep_ms(5);
			CHECK(threads() == 5);
			if (!from_a_thread) execs(0);
			CHECK(pthread_create(&id, 0, execs, 0) == 0);
			for (;;);
		}
		int status = wait_for(child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 12);
	}
}
