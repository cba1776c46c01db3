// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static void drops_rights(void)
{
	char path[] = "/tmp/private-XXXXXX";
	int fd = mkstemp(path);
	CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
	CHECK(setgid(1000) == 0 && setuid(1000) == 0 && getuid() == 1000);
	CHECK(open(path, O_RDONLY) == -1 && errno == EACCES);
	CHECK(setuid(0) == -1 && errno == EPERM);
	CHECK(kill(getppid(), 0) == -1 && errno == EPERM);
	CHECK(unlink(path) == -1);
}

int main(void)
{
	if (getuid() == 0) CHECK(passed(status_of(drops_rights)));
}
