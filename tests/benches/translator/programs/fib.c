// SPDX-License-Identifier: MIT OR Apache-2.0
// Calls and little else: three recursive functions.
#include "../program.h"

NOINLINE static int fib(int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

NOINLINE static int ack(int m, int n)
{
	if (!m)
		return n + 1;
	if (!n)
		return ack(m - 1, 1);
	return ack(m - 1, ack(m, n - 1));
}

NOINLINE static int tak(int x, int y, int z)
{
	if (y >= x)
		return z;
	return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

uint32_t run(void)
{
	enum { n = 20 };
	int r = 0;
	for (int i = 0; i < n; i++) {
		r += fib(27 + (i & 1));
		r += ack(2, 300);
		r ^= tak(16, 10, 5);
	}
	return r;
}
