// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <spawn.h>

int main(int argc, char **argv)
{
	if (argc == 2) return write(1, argv[1], 5) == 5 ? 7 : 1;
	int pipe_fds[2], status;
	char text[8];
	posix_spawn_file_actions_t actions;
	CHECK(pipe(pipe_fds) == 0);
	CHECK(posix_spawn_file_actions_init(&actions) == 0);
	CHECK(posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1) == 0);
	CHECK(posix_spawn_file_actions_addclose(&actions, pipe_fds[0]) == 0);
	pid_t child;
	char *arguments[] = { "self", "hello", 0 }, *environment[] = { 0 };
	CHECK(posix_spawn(&child, "/proc/self/exe", &actions, 0, arguments, environment) == 0);
	status = wait_for(child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	CHECK(read(pipe_fds[0], text, sizeof text) == 5 && !memcmp(text, "hello", 5));
	CHECK(posix_spawn(&child, "/nonexistent", 0, 0, arguments, environment) == ENOENT);
}
