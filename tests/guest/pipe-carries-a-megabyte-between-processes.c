// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

enum { SIZE = 1 << 20 };

int main(void)
{
	int fds[2];
	unsigned char buffer[5000];
	CHECK(pipe(fds) == 0);
	pid_t child = fork();
	if (child == 0) {
		unsigned char *all = malloc(SIZE);
		for (int i = 0; i < SIZE; i++) all[i] = i * 7 % 253;
		for (int sent = 0; sent < SIZE;) {
			ssize_t n = write(fds[1], all + sent, SIZE - sent);
			CHECK(n > 0);
			sent += n;
		}
		_exit(0);
	}
	CHECK(close(fds[1]) == 0);
	int received = 0;
	for (ssize_t n; (n = read(fds[0], buffer, sizeof buffer)) > 0; received += n)
		for (int i = 0; i < n; i++) CHECK(buffer[i] == (received + i) * 7 % 253);
	CHECK(received == SIZE && passed(wait_for(child)));
}
