// SPDX-License-Identifier: MIT OR Apache-2.0
// Root may allow what other Linuxes then do, but code of one memory runs past its end into the start of
// another.
#include "test.h"

#define PAGE 16384
#define FIRST 65536

static void reads(void) { *(volatile int *)PAGE; }

int main(void)
{
	int limit = open("/proc/sys/vm/mmap_min_addr", O_WRONLY);
	CHECK(write(limit, "0", 1) == 1);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	for (uintptr_t address = 0; address < FIRST; address += PAGE) {
		void *fixed = mmap((void *)address, PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED, -1, 0);
		CHECK(fixed == MAP_FAILED && errno == EINVAL);
		void *hint = mmap((void *)address, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
		CHECK(hint == MAP_FAILED || (uintptr_t)hint >= FIRST);
	}
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	CHECK(mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)PAGE) == MAP_FAILED);
	CHECK(died_of(status_of(reads), SIGSEGV));
}
