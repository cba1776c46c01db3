// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

// What exec says of a script with that interpreter.
static void fails(const char *path, const char *interpreter, int error)
{
	FILE *script = fopen(path, "w");
	CHECK(script && fprintf(script, "#!%s\n", interpreter) > 0 && fclose(script) == 0);
	CHECK(execl(path, path, (char *)0) == -1 && errno == error);
}

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
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 11);
	// The interpreter may be a script, but not for ever.
	fails(path, "/nonexistent/interpreter", ENOENT);
	fails(path, "/etc/passwd", EACCES);
	fails(path, "/tmp", EACCES);
	fails(path, "", ENOEXEC);
	fails(path, path, ELOOP);
	CHECK(unlink(path) == 0);
}
