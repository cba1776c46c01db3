// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/timerfd.h>

int main(void)
{
	uint64_t expirations, total = 0;
	struct itimerspec left, every = { { 0, 1000000 }, { 0, 5000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK(fd >= 0 && timerfd_settime(fd, 0, &every, 0) == 0);
	CHECK(timerfd_gettime(fd, &left) == 0 && left.it_interval.tv_nsec == 1000000);
	while (total < 10) {
		CHECK(read(fd, &expirations, sizeof expirations) == sizeof expirations && expirations > 0);
		total += expirations;
	}
}
