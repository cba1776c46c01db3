// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(int argc, char **argv)
{
	if (argc == 2) return atoi(argv[1]) % 251;
	for (int i = 0; i < 10000; i++) {
		char number[12];
		snprintf(number, sizeof number, "%d", i);
		pid_t child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			execl("/proc/self/exe", "self", number, (char *)0);
			_exit(255);
		}
		int status = wait_for(child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == i % 251);
	}
}
