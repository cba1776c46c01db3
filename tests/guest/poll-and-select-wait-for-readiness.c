// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <poll.h>
#include <sys/select.h>

int main(void)
{
	int fds[2];
	fd_set set;
	CHECK(pipe(fds) == 0);
	struct pollfd polled = { .fd = fds[0], .events = POLLIN };
	CHECK(poll(&polled, 1, 0) == 0 && poll(&polled, 1, 5) == 0);
	pid_t child = fork();
	if (child == 0) {
		sleep_ms(10);
		CHECK(write(fds[1], "x", 1) == 1);
		_exit(0);
	}
	CHECK(poll(&polled, 1, -1) == 1 && polled.revents == POLLIN);
	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	CHECK(select(fds[0] + 1, &set, 0, 0, 0) == 1 && FD_ISSET(fds[0], &set));
	CHECK(passed(wait_for(child)) && close(fds[1]) == 0);
	CHECK(read(fds[0], &(char){ 0 }, 1) == 1);
	CHECK(poll(&polled, 1, -1) == 1 && polled.revents == POLLHUP);
}
