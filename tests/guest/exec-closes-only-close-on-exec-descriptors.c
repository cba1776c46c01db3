// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(int argc, char **argv)
{
	if (argc == 3) {
		CHECK(fcntl(atoi(argv[1]), F_GETFD) == 0);
		CHECK(fcntl(atoi(argv[2]), F_GETFD) == -1 && errno == EBADF);
		return 0;
	}
	char kept[12], closed[12];
	snprintf(kept, sizeof kept, "%d", open("/dev/null", O_RDONLY));
	snprintf(closed, sizeof closed, "%d", open("/dev/null", O_RDONLY | O_CLOEXEC));
	pid_t child = fork();
	if (child == 0) {
		execl("/proc/self/exe", "self", kept, closed, (char *)0);
		_exit(127);
	}
	CHECK(passed(wait_for(child)));
}
