// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

#define PAGES 16

static size_t page;
static char *memory;

static int resident(void)
{
	unsigned char there[PAGES];
	int count = 0;
	CHECK(mincore(memory, PAGES * page, there) == 0);
	for (int i = 0; i < PAGES; i++)
		count += there[i] & 1;
	return count;
}

static long locked_kib(void)
{
	char line[128];
	long kib = -1;
	FILE *status = fopen("/proc/self/status", "r");
	CHECK(status);
	while (fgets(line, sizeof line, status))
		if (sscanf(line, "VmLck: %ld", &kib) == 1)
			break;
	fclose(status);
	return kib;
}

int main(void)
{
	page = sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(resident() == 0 && locked_kib() == 0);

	CHECK(mlock(memory, PAGES * page) == 0);
	CHECK(resident() == PAGES);
	CHECK(locked_kib() == (long)(PAGES * page / 1024));
	CHECK(madvise(memory, PAGES * page, MADV_DONTNEED) < 0 && errno == EINVAL);

	CHECK(munlock(memory, PAGES * page) == 0);
	CHECK(locked_kib() == 0);
	CHECK(madvise(memory, PAGES * page, MADV_DONTNEED) == 0);
	CHECK(resident() == 0);

	CHECK(mlockall(MCL_FUTURE) == 0);
	memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(resident() == PAGES);
}
