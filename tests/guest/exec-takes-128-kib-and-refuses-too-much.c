// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

// As many variables as arguments: 128 KiB of text and more.
enum { ARGUMENTS = 700, LENGTH = 100 };

int main(int argc, char **argv)
{
	if (argc != 1) {
		CHECK(argc == ARGUMENTS);
		for (int i = 0; i < argc; i++) CHECK(strlen(argv[i]) == LENGTH && strlen(environ[i]) == LENGTH);
		CHECK(!environ[ARGUMENTS]);
		return 0;
	}
	static char text[LENGTH + 1], *arguments[ARGUMENTS + 1];
	memset(text, 'x', LENGTH);
	for (int i = 0; i < ARGUMENTS; i++) arguments[i] = text;
	pid_t child = fork();
	if (child == 0) {
		execve("/proc/self/exe", arguments, arguments);
		_exit(127);
	}
	CHECK(passed(wait_for(child)));

	char *huge = malloc(1 << 20);
	memset(huge, 'x', (1 << 20) - 1);
	huge[(1 << 20) - 1] = 0;
	CHECK(execl("/proc/self/exe", "self", huge, (char *)0) == -1 && errno == E2BIG);
}
