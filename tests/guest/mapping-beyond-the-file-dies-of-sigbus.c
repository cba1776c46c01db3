// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile char *memory;

static void touches(void) { memory[70000]; }

int main(void)
{
	FILE *file = tmpfile();
	CHECK(file && ftruncate(fileno(file), 10) == 0);
	memory = mmap(0, 131072, PROT_READ, MAP_SHARED, fileno(file), 0);
	CHECK(memory != MAP_FAILED);
	CHECK(memory[20] == 0 && died_of(status_of(touches), SIGBUS));
}
