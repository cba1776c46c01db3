// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

#define NAME "/linnet-test"
#define SIZE 65536

static void opens_and_writes(void)
{
	int object = shm_open(NAME, O_RDWR, 0);
	CHECK(object >= 0);
	struct stat stat;
	CHECK(fstat(object, &stat) == 0 && stat.st_size == SIZE);
	char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, object, 0);
	CHECK(memory != MAP_FAILED && memory[0] == 1);
	memory[SIZE - 1] = 2;
}

int main(void)
{
	int object = shm_open(NAME, O_CREAT | O_EXCL | O_RDWR, 0600);
	CHECK(object >= 0);
	CHECK(shm_open(NAME, O_CREAT | O_EXCL | O_RDWR, 0600) < 0 && errno == EEXIST);
	CHECK(ftruncate(object, SIZE) == 0);
	volatile char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, object, 0);
	CHECK(memory != MAP_FAILED);
	memory[0] = 1;
	CHECK(passed(status_of(opens_and_writes)));
	CHECK(memory[SIZE - 1] == 2);

	CHECK(shm_unlink(NAME) == 0);
	CHECK(shm_open(NAME, O_RDWR, 0) < 0 && errno == ENOENT);
	CHECK(memory[SIZE - 1] == 2);
}
