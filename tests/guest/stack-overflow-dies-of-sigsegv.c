// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/resource.h>

static volatile int never;

static int with_memory(int depth)
{
	volatile char frame[1000];
	frame[depth % 1000] = 1;
	return never ? 0 : with_memory(depth + 1) + frame[depth % 1000];
}

static int without_memory(int depth)
{
	return never ? 0 : without_memory(depth + 1) + never;
}

static void limit(void)
{
	CHECK(setrlimit(RLIMIT_STACK, &(struct rlimit){ 1 << 20, 1 << 20 }) == 0);
}

static void overflows_memory(void)
{
	limit();
	with_memory(0);
}

static void overflows_calls(void)
{
	limit();
	without_memory(0);
}

int main(void)
{
	CHECK(died_of(status_of(overflows_memory), SIGSEGV));
	CHECK(died_of(status_of(overflows_calls), SIGSEGV));
}
