// SPDX-License-Identifier: MIT OR Apache-2.0
// Behind setjmp a function has its values, operands and stack as they were when it was called, whatever
// it did since in the same locals.
#include "test.h"
#include <alloca.h>
#include <setjmp.h>

static jmp_buf rounds[5], one;

__attribute__((noinline)) static void leave(jmp_buf to, int value) { longjmp(to, value); }
__attribute__((noinline)) static int same(int value) { return value; }

// Back from a later round to the setjmp of an earlier one, and that of another call in the function.
static int loop(int a, double b, long long c, float d)
{
	volatile int jumps = 0;
	int sum = a * 3;
	double product = b * a;
	for (int i = 0; i < 5; i++) {
		int value = setjmp(rounds[i]);
		if (value) {
			CHECK(sum == a * 3 && product == b * a && c == (1LL << 40) + a && d == 0.5f);
			jumps += value;
			if (jumps == 11) break;
			leave(rounds[jumps % 5], 1);
		}
	}
	// What is in locals now must not be what the code behind setjmp finds.
	int x = same(a + 1), y = same(x + 2), z = same(x * y);
	double u = same(x) * 0.5, v = same(y) * 0.25;
	if (jumps < 10) leave(rounds[2], 1);
	if (jumps == 10) leave(rounds[4], 1);
	return sum + x + y + z + (int)(u + v) + (int)product;
}

// The result is an operand, and others wait below it.
static int operands(int *where, int a)
{
	volatile int first = 1;
	where[same(a)] = 100 * same(a) + setjmp(one);
	if (first) {
		first = 0;
		leave(one, 7);
	}
	return where[a];
}

// The memory of the first time is free again, and that of before is not.
static int allocas(int size)
{
	volatile int times = 0;
	char *before = alloca(same(size));
	memset(before, 'b', size);
	setjmp(one);
	char *behind = alloca(same(size));
	memset(behind, 'x', size);
	for (int i = 0; i < size; i++) CHECK(before[i] == 'b');
	static char *known;
	if (times++ == 0) known = behind;
	CHECK(known == behind);
	if (times < 1000) leave(one, 1);
	return before[0] + behind[size - 1];
}

// Each activation has its own, though none has memory on the stack.
static jmp_buf *levels;
__attribute__((noinline)) static int level(int n)
{
	if (setjmp(levels[n])) return n;
	if (n == 3) leave(levels[1], 1);
	return level(n + 1) + 100;
}

int main(void)
{
	CHECK(loop(4, 0.25, (1LL << 40) + 4, 0.5f) == 12 + 5 + 7 + 35 + 4 + 1);
	int where[8] = {0};
	CHECK(operands(where, 5) == 507);
	CHECK(allocas(1000) == 'b' + 'x');
	levels = malloc(4 * sizeof *levels);
	CHECK(level(0) == 101);
}
