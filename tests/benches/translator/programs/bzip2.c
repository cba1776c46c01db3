// SPDX-License-Identifier: MIT OR Apache-2.0
// bzip2: compresses and expands text.
#include "../program.h"
#include "bzlib.h"

enum { SIZE = 300000 };
static char plain[SIZE], again[SIZE], packed[SIZE + SIZE / 100 + 600];

void bz_internal_error(int code)
{
	(void)code;
	abort();
}

uint32_t run(void)
{
	text(plain, SIZE, 2);
	unsigned size = sizeof packed, back = SIZE;
	if (BZ2_bzBuffToBuffCompress(packed, &size, plain, SIZE, 9, 0, 0) != BZ_OK)
		abort();
	if (BZ2_bzBuffToBuffDecompress(again, &back, packed, size, 0, 0) != BZ_OK ||
	    back != SIZE || memcmp(plain, again, SIZE))
		abort();
	return sum(0, packed, size);
}
