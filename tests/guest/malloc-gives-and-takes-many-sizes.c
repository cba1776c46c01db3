// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	static unsigned char *blocks[2000];
	static unsigned sizes[2000];
	unsigned seed = 1;
	for (int i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		unsigned slot = seed / 65536 % 2000;
		if (blocks[slot]) {
			for (unsigned k = 0; k < sizes[slot]; k += 97) CHECK(blocks[slot][k] == (unsigned char)slot);
			free(blocks[slot]);
		}
		seed = seed * 1103515245 + 12345;
		sizes[slot] = seed / 65536 % (i % 100 ? 2000 : 300000);
		blocks[slot] = malloc(sizes[slot]);
		CHECK(blocks[slot] && (uintptr_t)blocks[slot] % 8 == 0);
		memset(blocks[slot], slot, sizes[slot]);
	}
	void *volatile huge = malloc(PTRDIFF_MAX);
	CHECK(!huge && errno == ENOMEM);
}
