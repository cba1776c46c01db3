// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	enum { SMALL = 131072, LARGE = 4 << 20 };
	int *memory = mmap(0, SMALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (unsigned i = 0; i < SMALL / sizeof(int); i++) memory[i] = i;
	// Something behind it, so that it cannot grow in place.
	CHECK(mmap((char *)memory + SMALL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	int *moved = mremap(memory, SMALL, LARGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED);
	for (unsigned i = 0; i < SMALL / sizeof(int); i++) CHECK(moved[i] == (int)i);
	CHECK(moved[LARGE / sizeof(int) - 1] == 0);
	CHECK(mremap(moved, LARGE, SMALL, 0) == moved && moved[7] == 7);
}
