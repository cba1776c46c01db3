// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/shm.h>

int main(void)
{
	struct shmid_ds state;
	int id = shmget(IPC_PRIVATE, 100000, IPC_CREAT | 0600);
	CHECK(id >= 0);
	char *one = shmat(id, 0, 0), *two = shmat(id, 0, SHM_RDONLY);
	CHECK(one != (void *)-1 && two != (void *)-1 && one != two);
	one[99999] = 5;
	CHECK(two[99999] == 5);
	CHECK(shmctl(id, IPC_STAT, &state) == 0 && state.shm_segsz == 100000 && state.shm_nattch == 2);
	CHECK(state.shm_cpid == getpid() && llabs(state.shm_ctime - time(0)) < 100);
	CHECK(shmdt(one) == 0 && shmdt(two) == 0 && shmctl(id, IPC_RMID, 0) == 0);
}
