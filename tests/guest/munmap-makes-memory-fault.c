// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile char *memory;

static void touches(void) { memory[65536]; }
static void touches_neighbours(void) { memory[65535] = memory[131072] = 1; }

int main(void)
{
	memory = mmap(0, 3 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	memset((void *)memory, 1, 3 * 65536);
	CHECK(munmap((void *)(memory + 65536), 65536) == 0);
	CHECK(died_of(status_of(touches), SIGSEGV));
	CHECK(passed(status_of(touches_neighbours)));
}
