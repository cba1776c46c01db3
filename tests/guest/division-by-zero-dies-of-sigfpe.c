// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile int zero, minimum = INT32_MIN, minus_one = -1;

static void divides(void) { zero = minimum / zero; }
static void overflows(void) { zero = minimum / minus_one; }

int main(void)
{
	CHECK(died_of(status_of(divides), SIGFPE));
	CHECK(died_of(status_of(overflows), SIGFPE));
}
