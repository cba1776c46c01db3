// SPDX-License-Identifier: MIT OR Apache-2.0
// zstd: compresses text at a low and a high level and expands it.
#include "../program.h"
#include "zstd.h"

enum { SIZE = 400000 };
static char plain[SIZE], again[SIZE], packed[SIZE + SIZE / 100 + 600];

uint32_t run(void)
{
	static const int levels[] = {3, 9};
	uint32_t result = 0;
	text(plain, SIZE, 3);
	for (int i = 0; i < 2; i++) {
		size_t size = ZSTD_compress(packed, sizeof packed, plain, SIZE, levels[i]);
		if (ZSTD_isError(size))
			abort();
		result = sum(result, packed, size);
		for (int k = 0; k < 8; k++)
			if (ZSTD_decompress(again, SIZE, packed, size) != SIZE)
				abort();
		if (memcmp(plain, again, SIZE))
			abort();
	}
	return result;
}
