// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(int argc, char **argv)
{
	if (argc == 2) return strcmp(argv[1], "child") ? 2 : 42;
	for (int i = 0; i < 100; i++) {
		pid_t child = vfork();
		if (child == 0) {
			execl("/proc/self/exe", "self", "child", (char *)0);
			_exit(127);
		}
		int status = wait_for(child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	}
}
