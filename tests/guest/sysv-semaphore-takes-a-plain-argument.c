// SPDX-License-Identifier: MIT OR Apache-2.0
// The last argument of semctl is a union by POSIX; many programs give the value of a member.
#include <sys/ipc.h>
#include <sys/sem.h>
#include "test.h"

union semun { int val; struct semid_ds *buf; unsigned short *array; };

int main(void)
{
	int id = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
	CHECK(id >= 0);
	union semun u = { .val = 3 };
	CHECK(!semctl(id, 0, SETVAL, u) && semctl(id, 0, GETVAL) == 3);
	CHECK(!semctl(id, 0, SETVAL, 5) && semctl(id, 0, GETVAL) == 5);
	CHECK(!semctl(id, 0, SETVAL, 6L) && semctl(id, 0, GETVAL, 0) == 6);
	unsigned short all[2] = { 7, 8 }, got[2];
	CHECK(!semctl(id, 0, SETALL, all) && semctl(id, 1, GETVAL) == 8);
	CHECK(!semctl(id, 0, GETALL, got) && got[0] == 7 && got[1] == 8);
	u.array = (unsigned short[]){ 9, 10 };
	CHECK(!semctl(id, 0, SETALL, u) && semctl(id, 1, GETVAL) == 10);
	struct semid_ds state;
	CHECK(!semctl(id, 0, IPC_STAT, &state) && state.sem_nsems == 2 && state.sem_ctime > 1700000000);
	u.buf = &state;
	CHECK(!semctl(id, 0, IPC_STAT, u) && state.sem_nsems == 2);
	struct seminfo info;
	CHECK(semctl(0, 0, IPC_INFO, &info) >= 0 && info.semvmx > 0);
	int (*volatile pointer)(int, int, int, ...) = semctl;
	CHECK(!pointer(id, 0, SETVAL, u = (union semun){ .val = 2 }) && pointer(id, 0, GETVAL) == 2);
	CHECK(!pointer(id, 0, SETVAL, 1) && pointer(id, 0, GETVAL) == 1);
	CHECK(!semctl(id, 0, IPC_RMID, NULL));
}
