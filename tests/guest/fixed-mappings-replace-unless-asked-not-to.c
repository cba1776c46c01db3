// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { SIZE = 1 << 20, PART = 1 << 18 };

int main(void)
{
	int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *memory = mmap(0, SIZE, protection, flags, -1, 0);
	CHECK(memory != MAP_FAILED);
	memset(memory, 1, SIZE);

	CHECK(mmap(memory + PART, PART, protection, flags | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
	CHECK(memory[PART] == 1);
	CHECK(mmap(memory + PART, PART, protection, flags | MAP_FIXED, -1, 0) == memory + PART);
	CHECK(memory[PART - 1] == 1 && memory[PART] == 0 && memory[2 * PART - 1] == 0 && memory[2 * PART] == 1);

	CHECK(munmap(memory + PART, PART) == 0);
	CHECK(mmap(memory + PART, PART, protection, flags | MAP_FIXED_NOREPLACE, -1, 0) == memory + PART);
	CHECK(memory[PART] == 0);
	CHECK(mmap(memory + 1, PART, protection, flags | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
	// An address without a flag is a wish.
	char *other = mmap(memory, PART, protection, flags, -1, 0);
	CHECK(other != MAP_FAILED && (other + PART <= memory || other >= memory + SIZE));
}
