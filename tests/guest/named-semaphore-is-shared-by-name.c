// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <semaphore.h>

static char name[40];

static void opens_and_posts(void)
{
	sem_t *same = sem_open(name, 0);
	CHECK(same != SEM_FAILED);
	sleep_ms(5);
	CHECK(sem_post(same) == 0 && sem_close(same) == 0);
}

int main(void)
{
	int value;
	snprintf(name, sizeof name, "/linnet-test-%d", getpid());
	CHECK(sem_open(name, 0) == SEM_FAILED && errno == ENOENT);
	sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
	CHECK(semaphore != SEM_FAILED);
	CHECK(sem_open(name, O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED && errno == EEXIST);
	CHECK(sem_wait(semaphore) == 0 && sem_trywait(semaphore) == -1 && errno == EAGAIN);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		opens_and_posts();
		_exit(0);
	}
	CHECK(sem_wait(semaphore) == 0 && passed(wait_for(child)));
	CHECK(sem_getvalue(semaphore, &value) == 0 && value == 0);
	CHECK(sem_unlink(name) == 0 && sem_open(name, 0) == SEM_FAILED && errno == ENOENT);
	CHECK(sem_post(semaphore) == 0 && sem_close(semaphore) == 0);
}
