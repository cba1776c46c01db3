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

int main(void)
{
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
