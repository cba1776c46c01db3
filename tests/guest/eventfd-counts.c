// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/eventfd.h>

int main(void)
{
	eventfd_t value;
	int fd = eventfd(3, EFD_NONBLOCK);
	CHECK(fd >= 0 && eventfd_write(fd, 0x100000000ULL) == 0);
	CHECK(eventfd_read(fd, &value) == 0 && value == 0x100000003ULL);
	CHECK(eventfd_read(fd, &value) == -1 && errno == EAGAIN);
}
