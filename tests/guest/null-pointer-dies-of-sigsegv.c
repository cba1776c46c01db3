// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static void reads(void) { *(volatile int *)0; }
static void writes(void) { *(volatile int *)4000 = 1; }

int main(void)
{
	CHECK(died_of(status_of(reads), SIGSEGV));
	CHECK(died_of(status_of(writes), SIGSEGV));
}
