// SPDX-License-Identifier: MIT OR Apache-2.0
// A compressor that finds matches by hash chains, and its decoder.
#include "../program.h"

#define SZ (1 << 17)
static uint8_t src[SZ], out[SZ * 2], dec[SZ];
static int head[1 << 13], prev[SZ];
static uint32_t bitbuf, bitcnt, op;
static inline void put(uint32_t v, int n)
{
	bitbuf |= v << bitcnt;
	bitcnt += n;
	while (bitcnt >= 8) {
		out[op++] = (uint8_t)bitbuf;
		bitbuf >>= 8;
		bitcnt -= 8;
	}
}

NOINLINE static int longest(int pos, int cand, int *mpos)
{
	int best = 0, chain = 32;
	int lim = SZ - pos;
	if (lim > 258)
		lim = 258;
	while (cand >= 0 && chain-- && pos - cand < 32768) {
		const uint8_t *a = src + pos, *b = src + cand;
		if (best == 0 || a[best] == b[best]) {
			int l = 0;
			while (l < lim && a[l] == b[l])
				l++;
			if (l > best) {
				best = l;
				*mpos = cand;
				if (l >= lim)
					break;
			}
		}
		cand = prev[cand];
	}
	return best;
}

NOINLINE static void comp(void)
{
	op = bitbuf = bitcnt = 0;
	for (int i = 0; i < (1 << 13); i++)
		head[i] = -1;
	int p = 0;
	while (p < SZ - 3) {
		uint32_t h = ((src[p] << 10) ^ (src[p + 1] << 5) ^ src[p + 2]) & 8191;
		int mp = 0;
		int l = longest(p, head[h], &mp);
		prev[p] = head[h];
		head[h] = p;
		if (l >= 4) {
			put(1, 1);
			put((uint32_t)(p - mp), 15);
			put((uint32_t)l, 9);
			int e = p + l;
			p++;
			while (p < e && p < SZ - 3) {
				uint32_t g =
				    ((src[p] << 10) ^ (src[p + 1] << 5) ^ src[p + 2]) & 8191;
				prev[p] = head[g];
				head[g] = p;
				p++;
			}
			p = e;
		} else {
			put(0, 1);
			put(src[p], 8);
			p++;
		}
	}
	while (p < SZ) {
		put(0, 1);
		put(src[p++], 8);
	}
	put(0, 16);
	put(0, 16);
}

static uint32_t ip, ib, ic;
static inline uint32_t get(int n)
{
	while (ic < (uint32_t)n) {
		ib |= (uint32_t)out[ip++] << ic;
		ic += 8;
	}
	uint32_t v = ib & ((1u << n) - 1);
	ib >>= n;
	ic -= n;
	return v;
}

NOINLINE static uint32_t decomp(void)
{
	ip = ib = ic = 0;
	int p = 0;
	while (p < SZ) {
		if (get(1)) {
			int d = get(15), l = get(9);
			while (l-- && p < SZ) {
				dec[p] = dec[p - d];
				p++;
			}
		} else
			dec[p++] = (uint8_t)get(8);
	}
	uint32_t a = 1, b = 0;
	for (int i = 0; i < SZ; i++) {
		a += dec[i];
		if (a >= 65521)
			a -= 65521;
		b += a;
		if (b >= 65521)
			b -= 65521;
	}
	return b << 16 | a;
}

uint32_t run(void)
{
	enum { n = 3 };
	uint32_t s = 7, r = 0;
	for (int i = 0; i < SZ; i++) {
		uint32_t x = rnd(&s);
		src[i] = (x & 7) ? (uint8_t)("the quick brown fox jumps over a lazy dog "
						 [(i + (x >> 9 & 1)) % 41])
				 : (uint8_t)('a' + (x >> 20) % 26);
	}
	for (int q = 0; q < n; q++) {
		comp();
		r ^= decomp() + op;
		src[q * 977 % SZ] ^= 1;
	}
	return (int)r;
}
