// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

enum { SIZE = 2 << 20, STEP = 1000 };

int main(void)
{
	unsigned char *memory = malloc(SIZE);
	int to_child[2], to_parent[2];
	char token;
	CHECK(memory && pipe(to_child) == 0 && pipe(to_parent) == 0);
	memset(memory, 1, SIZE);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		for (int i = 0; i < SIZE; i += 2 * STEP) memory[i] = 2;
		CHECK(write(to_parent[1], "x", 1) == 1 && read(to_child[0], &token, 1) == 1);
		for (int i = 0; i < SIZE; i += STEP) CHECK(memory[i] == (i / STEP % 2 ? 1 : 2));
		_exit(0);
	}
	CHECK(read(to_parent[0], &token, 1) == 1);
	for (int i = 0; i < SIZE; i += STEP) CHECK(memory[i] == 1);
	memset(memory, 3, SIZE);
	CHECK(write(to_child[1], "x", 1) == 1);
	CHECK(passed(wait_for(child)));
	for (int i = 0; i < SIZE; i += STEP) CHECK(memory[i] == 3);
}
