// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

enum { COUNT = 500 };

int main(void)
{
	int go[2], done[2];
	char token;
	CHECK(pipe(go) == 0 && pipe(done) == 0);
	for (int i = 0; i < COUNT; i++) {
		pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			volatile int mine = i;
			CHECK(write(done[1], "x", 1) == 1);
			CHECK(read(go[0], &token, 1) == 1);
			_exit(mine == i ? 0 : 1);
		}
	}
	for (int i = 0; i < COUNT; i++) CHECK(read(done[0], &token, 1) == 1);
	for (int i = 0; i < COUNT; i++) CHECK(write(go[1], "x", 1) == 1);
	for (int i = 0; i < COUNT; i++) {
		int status;
		CHECK(wait(&status) > 0 && passed(status));
	}
}
