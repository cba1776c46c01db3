// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/file.h>

int main(void)
{
	FILE *file = tmpfile();
	char path[64];
	int fd = fileno(file);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10 };
	CHECK(fcntl(fd, F_SETLK, &lock) == 0 && flock(fd, LOCK_EX) == 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	pid_t child = fork();
	if (child == 0) {
		int other = open(path, O_RDWR);
		CHECK(other >= 0 && flock(other, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
		CHECK(fcntl(other, F_SETLK, &lock) == -1 && (errno == EAGAIN || errno == EACCES));
		lock.l_start = 20;
		CHECK(fcntl(other, F_SETLK, &lock) == 0);
		_exit(0);
	}
	CHECK(passed(wait_for(child)));
}
