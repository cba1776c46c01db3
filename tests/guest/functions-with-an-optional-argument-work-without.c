// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/ioctl.h>
#include <sys/prctl.h>

int main(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	CHECK(ioctl(fd, FIONCLEX) == 0 && fcntl(fd, F_GETFD) == 0);
	CHECK(prctl(PR_GET_DUMPABLE) >= 0);
	CHECK(syscall(SYS_getpid) == getpid());
}
