// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile char *page;

static void reads(void) { *page; }
static void writes(void) { *page = 1; }

int main(void)
{
	page = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	*page = 9;
	CHECK(mprotect((void *)page, 65536, PROT_READ) == 0);
	CHECK(*page == 9 && died_of(status_of(writes), SIGSEGV));
	CHECK(mprotect((void *)page, 65536, PROT_NONE) == 0);
	CHECK(died_of(status_of(reads), SIGSEGV));
	CHECK(mprotect((void *)page, 65536, PROT_READ | PROT_WRITE) == 0);
	*page += 1;
	CHECK(*page == 10);
	CHECK(passed(status_of(writes)));
}
