// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static void fails_with(const char *path, int error)
{
	CHECK(execl(path, path, (char *)0) == -1 && errno == error);
}

int main(void)
{
	char path[] = "/tmp/garbage-XXXXXX";
	int fd = mkstemp(path);
	CHECK(fd >= 0 && write(fd, "\0asm rubbish", 12) == 12);
	CHECK(fchmod(fd, 0755) == 0 && close(fd) == 0);
	fails_with(path, ENOEXEC);
	CHECK(truncate(path, 0) == 0);
	fails_with(path, ENOEXEC);
	CHECK(unlink(path) == 0);
	fails_with(path, ENOENT);
	fails_with("/tmp", EACCES);
	fails_with("/etc/passwd", EACCES);
}
