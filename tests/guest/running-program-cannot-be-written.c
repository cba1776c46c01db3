// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static void copy_self(const char *path)
{
	static char bytes[65536];
	int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	CHECK(from >= 0 && to >= 0);
	for (ssize_t n; (n = read(from, bytes, sizeof bytes)) > 0;) CHECK(write(to, bytes, n) == n);
	close(from);
	close(to);
}

int main(int argc, char **argv)
{
	const char *path = "/tmp/running-program";
	(void)argv;
	if (argc > 1) {
		pause();
		return 1;
	}
	copy_self(path);
	int writer = open(path, O_WRONLY);
	CHECK(writer >= 0 && execl(path, path, "wait", (char *)0) == -1 && errno == ETXTBSY);
	close(writer);

	int ends[2];
	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	pid_t child = fork();
	if (child == 0) {
		execl(path, path, "wait", (char *)0);
		_exit(127);
	}
	close(ends[1]);
	// The end of the pipe is closed when the program has started.
	CHECK(read(ends[0], &(char){ 0 }, 1) == 0);
	CHECK(open(path, O_WRONLY) == -1 && errno == ETXTBSY);
	CHECK(truncate(path, 0) == -1 && errno == ETXTBSY);
	CHECK(kill(child, SIGKILL) == 0 && died_of(wait_for(child), SIGKILL));
	writer = open(path, O_WRONLY);
	CHECK(writer >= 0 && unlink(path) == 0);
}
