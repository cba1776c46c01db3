#include <string.h>
#include "block.h"
void *memset(void *d, int c, size_t n)
{
	uint64_t v = (unsigned char)c * 0x0101010101010101ULL;
	if (n > SHORT) {
		__builtin_memset(d, c, n);
	} else if (n >= 8) {
		for (size_t i = 0; i < n - 8; i += 8) ((piece8 *)((unsigned char *)d + i))->v = v;
		LAST(piece8, d) = v;
	} else if (n >= 4) {
		FIRST(piece4, d) = LAST(piece4, d) = v;
	} else if (n >= 2) {
		FIRST(piece2, d) = LAST(piece2, d) = v;
	} else if (n) {
		*(unsigned char *)d = c;
	}
	return d;
}
