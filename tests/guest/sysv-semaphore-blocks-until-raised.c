// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/sem.h>

union semun { int val; struct semid_ds *buf; unsigned short *array; };

int main(void)
{
	struct semid_ds state;
	int id = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
	CHECK(id >= 0 && semctl(id, 0, SETVAL, (union semun){ .val = 0 }) == 0);
	CHECK(semctl(id, 1, SETVAL, 12) == 0 && semctl(id, 1, GETVAL) == 12);
	pid_t child = fork();
	if (child == 0) {
		sleep_ms(10);
		CHECK(semop(id, &(struct sembuf){ 0, 3, 0 }, 1) == 0);
		_exit(0);
	}
	CHECK(semop(id, &(struct sembuf){ 0, -2, 0 }, 1) == 0 && semctl(id, 0, GETVAL) == 1);
	CHECK(passed(wait_for(child)));
	CHECK(semctl(id, 0, IPC_STAT, (union semun){ .buf = &state }) == 0 && state.sem_nsems == 2);
	CHECK(llabs(state.sem_otime - time(0)) < 100);
	CHECK(semctl(id, 0, IPC_RMID) == 0);
}
