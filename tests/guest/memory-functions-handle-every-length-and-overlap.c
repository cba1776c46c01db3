// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

enum { SIZE = 200, LONGEST = 80 };

// Called through pointers, so that it is libc's functions that run.
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile set)(void *, int, size_t) = memset;

static unsigned char got[SIZE], expected[SIZE];

static void refill(void)
{
	for (int i = 0; i < SIZE; i++) got[i] = expected[i] = i + 1;
}

// Copies so long that they are made in pieces.
static void long_ones(void)
{
	enum { MOST = 1 << 19 };
	static const int sizes[] = { 65535, 65536, 65537, 131071, 131072, 131073, 200000 };
	static const int distances[] = { 0, 1, 63, 4096, 65535, 65536, 65537, 100000, 199999, 200000 };
	static unsigned char memory[MOST], before[MOST];
	for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (unsigned k = 0; k < 2 * sizeof distances / sizeof *distances; k++) {
			const int size = sizes[i], low = 17, high = low + distances[k / 2];
			const int from = k % 2 ? low : high, to = k % 2 ? high : low;
			for (int j = 0; j < MOST; j++) memory[j] = before[j] = j * 2654435761u >> 24;
			CHECK(move(memory + to, memory + from, size) == memory + to);
			for (int j = 0; j < MOST; j++)
				CHECK(memory[j] == before[j >= to && j < to + size ? from + j - to : j]);
		}
		CHECK(set(memory + 5, 0x1ee, sizes[i]) == memory + 5);
		for (int j = 0; j < MOST; j++)
			CHECK(memory[j] == 0xee || j < 5 || j >= 5 + sizes[i]);
	}
}

int main(void)
{
	long_ones();
	for (int n = 0; n <= LONGEST; n++) {
		for (int to = 0; to < 40; to++) {
			refill();
			CHECK(set(got + to, 0x1ee, n) == got + to);
			for (int i = 0; i < n; i++) expected[to + i] = 0xee;
			CHECK(!memcmp(got, expected, SIZE));

			refill();
			CHECK(copy(got + to, got + 120, n) == got + to);
			for (int i = 0; i < n; i++) expected[to + i] = 121 + i;
			CHECK(!memcmp(got, expected, SIZE));

			refill();
			CHECK(move(got + to, got + 20, n) == got + to);
			for (int i = 0; i < n; i++) expected[to + i] = 21 + i;
			CHECK(!memcmp(got, expected, SIZE));
		}
	}
}
