// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

extern char **environ;

int main(int argc, char **argv)
{
	if (argc != 1) {
		CHECK(argc == 4 && !strcmp(argv[0], "zero") && !strcmp(argv[2], "") && !strcmp(argv[3], "three words here"));
		CHECK(!strcmp(getenv("NAME"), "a=b") && !environ[1] && argv[4] == 0);
		return 0;
	}
	pid_t child = fork();
	if (child == 0) {
		char *arguments[] = { "zero", "one", "", "three words here", 0 }, *environment[] = { "NAME=a=b", 0 };
		execve("/proc/self/exe", arguments, environment);
		_exit(127);
	}
	CHECK(passed(wait_for(child)));
}
