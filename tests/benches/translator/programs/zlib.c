// SPDX-License-Identifier: MIT OR Apache-2.0
// zlib: compresses and expands text.
#include "../program.h"
#include "zlib.h"

enum { SIZE = 400000 };
static char plain[SIZE], again[SIZE];
static unsigned char packed[SIZE + SIZE / 100 + 100];

uint32_t run(void)
{
	text(plain, SIZE, 1);
	uint32_t result = 0;
	uLongf size = sizeof packed, back = SIZE;
	if (compress2(packed, &size, (Bytef *)plain, SIZE, 6) != Z_OK)
		abort();
	result = sum(result, packed, size);
	for (int i = 0; i < 4; i++) {
		back = SIZE;
		if (uncompress((Bytef *)again, &back, packed, size) != Z_OK || back != SIZE ||
		    memcmp(plain, again, SIZE))
			abort();
	}
	return result ^ crc32(0, (Bytef *)again, SIZE);
}
