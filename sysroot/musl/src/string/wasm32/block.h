/* Short blocks inline, by pieces that overlap and are all read before one is written; for longer
 * ones the instruction, which is a call of the runtime and outdoes any loop. */
#include <stddef.h>
#include <stdint.h>

#define SHORT 32
#define PIECE(type) struct { type v; } __attribute__((__packed__, __may_alias__))
typedef PIECE(uint16_t) piece2;
typedef PIECE(uint32_t) piece4;
typedef PIECE(uint64_t) piece8;
#define FIRST(type, p) ((type *)(p))->v
#define LAST(type, p) ((type *)((unsigned char *)(p) + n - sizeof(type)))->v

static inline void move_short(void *d, const void *s, size_t n)
{
	if (n > 16) {
		uint64_t a = FIRST(piece8, s), b = ((piece8 *)s)[1].v;
		uint64_t y = ((piece8 *)((unsigned char *)s + n - 16))->v, z = LAST(piece8, s);
		FIRST(piece8, d) = a;
		((piece8 *)d)[1].v = b;
		((piece8 *)((unsigned char *)d + n - 16))->v = y;
		LAST(piece8, d) = z;
	} else if (n >= 8) {
		uint64_t a = FIRST(piece8, s), z = LAST(piece8, s);
		FIRST(piece8, d) = a;
		LAST(piece8, d) = z;
	} else if (n >= 4) {
		uint32_t a = FIRST(piece4, s), z = LAST(piece4, s);
		FIRST(piece4, d) = a;
		LAST(piece4, d) = z;
	} else if (n >= 2) {
		uint16_t a = FIRST(piece2, s), z = LAST(piece2, s);
		FIRST(piece2, d) = a;
		LAST(piece2, d) = z;
	} else if (n) {
		*(unsigned char *)d = *(const unsigned char *)s;
	}
}
