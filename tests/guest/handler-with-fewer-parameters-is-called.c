// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static int count;

static void handler(void) { count++; }

int main(void)
{
	handle(SIGUSR1, (void (*)(int))handler, 0);
	raise(SIGUSR1);
	CHECK(count == 1);
}
