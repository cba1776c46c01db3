// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static void traps(void) { __builtin_trap(); }

int main(void)
{
	CHECK(died_of(status_of(traps), SIGILL));
}
