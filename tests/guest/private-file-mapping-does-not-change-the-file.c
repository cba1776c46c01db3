// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	char byte;
	FILE *file = tmpfile();
	CHECK(file && ftruncate(fileno(file), 100000) == 0 && pwrite(fileno(file), "file", 4, 70000) == 4);
	char *private = mmap(0, 100000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0);
	char *shared = mmap(0, 100000, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
	CHECK(private != MAP_FAILED && shared != MAP_FAILED);
	CHECK(!memcmp(private + 70000, "file", 4) && private[0] == 0);
	private[70000] = 'm';
	CHECK(shared[70000] == 'f' && pread(fileno(file), &byte, 1, 70000) == 1 && byte == 'f');
	shared[70001] = 'o';
	CHECK(msync(shared, 100000, MS_SYNC) == 0);
	CHECK(pread(fileno(file), &byte, 1, 70001) == 1 && byte == 'o');
	CHECK(private[70000] == 'm');
}
