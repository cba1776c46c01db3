// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(int argc, char **argv)
{
	char path[] = "/tmp/script-XXXXXX", self[256], text[300];
	if (argc == 4) {
		CHECK(!strcmp(argv[1], "an argument") && !strncmp(argv[2], "/tmp/script-", 12) && !strcmp(argv[3], "last"));
		return 11;
	}
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	CHECK(length > 0);
	self[length] = 0;
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	int size = snprintf(text, sizeof text, "#!%s an argument\n", self);
	CHECK(write(fd, text, size) == size && fchmod(fd, 0755) == 0 && close(fd) == 0);
	pid_t child = fork();
	if (child == 0) {
		execl(path, path, "last", (char *)0);
		_exit(127);
	}
	int status = wait_for(child);
	unlink(path);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 11);
}
