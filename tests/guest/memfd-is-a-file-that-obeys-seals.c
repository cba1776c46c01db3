// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	int fd = memfd_create("name", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	CHECK(fd >= 0 && write(fd, "hello", 5) == 5);
	char *memory = mmap(0, 5, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED && !memcmp(memory, "hello", 5));
	CHECK(munmap(memory, 5) == 0);
	CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW) == 0);
	CHECK(write(fd, "x", 1) == -1 && errno == EPERM);
	CHECK(ftruncate(fd, 100) == -1 && errno == EPERM);
}
