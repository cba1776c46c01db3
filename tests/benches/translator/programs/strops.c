// SPDX-License-Identifier: MIT OR Apache-2.0
// Strings, byte by byte: lengths, comparisons, copies, numbers, a search.
#include "../program.h"

typedef __SIZE_TYPE__ sz;
static char a[70000], b[70000];
static char words[4096][16];
NOINLINE static sz slen(const char *s)
{
	const char *p = s;
	while (*p)
		p++;
	return p - s;
}

NOINLINE static int scmp(const char *x, const char *y)
{
	while (*x && *x == *y) {
		x++;
		y++;
	}
	return (uint8_t)*x - (uint8_t)*y;
}

NOINLINE static char *scpy(char *d, const char *s)
{
	char *r = d;
	while ((*d++ = *s++)) {
	}
	return r;
}

NOINLINE static void mcpy(char *d, const char *s, sz n)
{
	while (n >= 4) {
		*(uint32_t *)d = *(const uint32_t *)s;
		d += 4;
		s += 4;
		n -= 4;
	}
	while (n--)
		*d++ = *s++;
}

NOINLINE static int htoi(const char *s)
{
	int v = 0;
	for (; *s; s++) {
		int c = *s;
		if (c >= '0' && c <= '9')
			v = v * 16 + c - '0';
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + c - 'a' + 10;
		else
			v = v * 31 + c;
	}
	return v;
}

NOINLINE static const char *sstr(const char *h, const char *n)
{
	for (; *h; h++) {
		const char *p = h, *q = n;
		while (*q && *p == *q) {
			p++;
			q++;
		}
		if (!*q)
			return h;
	}
	return 0;
}

uint32_t run(void)
{
	enum { n = 60 };
	uint32_t s = 5;
	int r = 0;
	for (int i = 0; i < 4096; i++) {
		int l = 3 + rnd(&s) % 12;
		for (int j = 0; j < l; j++)
			words[i][j] = "0123456789abcdefghij"[rnd(&s) % 20];
		words[i][l] = 0;
	}
	for (int q = 0; q < n; q++) {
		char *p = a;
		for (int i = 0; i < 4096; i++) {
			scpy(p, words[i]);
			p += slen(p);
			*p++ = ' ';
		}
		*p = 0;
		sz L = slen(a);
		mcpy(b, a, L + 1);
		__builtin_memcpy(b + 1, a, L);
		b[L] = 0;
		for (int i = 0; i < 4096; i++) {
			r += htoi(words[i]);
			if (scmp(words[i], words[(i * 7) & 4095]) < 0)
				r++;
			__builtin_memcpy(b + i * 8, words[i], slen(words[i]) + 1);
		}
		r += sstr(a, words[4000]) - a;
		words[q & 4095][0] ^= 1;
	}
	return r;
}
