// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --address-bits 38
#include "test.h"
#include <pthread.h>

/* So few addresses hold some two thousand tasks, whatever the system's own limit is. */
enum { MANY = 3000 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *waits(void *argument)
{
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return argument;
}

static void allow_more_tasks_than_there_is_room_for(void)
{
	int file = open("/proc/sys/kernel/threads-max", O_WRONLY);
	CHECK(file >= 0 && write(file, "16000", 5) == 5 && close(file) == 0);
}

static void child_lives(void)
{
	int status;
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) _exit(7);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

int main(void)
{
	static pthread_t threads[MANY];
	pthread_attr_t attributes;
	allow_more_tasks_than_there_is_room_for();
	CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 16384) == 0);
	for (int round = 0; round < 2; round++) {
		int made = 0, error = 0;
		CHECK(pthread_mutex_lock(&gate) == 0);
		while (made < MANY && !error) {
			error = pthread_create(&threads[made], &attributes, waits, &threads[made]);
			made += !error;
		}
		CHECK(error == EAGAIN && made > 1000);
		for (int i = 0; i < 3; i++) CHECK(fork() == -1 && errno == EAGAIN);
		CHECK(vfork() == -1 && errno == EAGAIN);
		CHECK(pthread_mutex_unlock(&gate) == 0);
		for (int i = 0; i < made; i++) {
			void *result;
			CHECK(pthread_join(threads[i], &result) == 0 && result == &threads[i]);
		}
		child_lives();
	}
}
