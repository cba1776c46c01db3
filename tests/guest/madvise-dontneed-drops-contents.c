// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	char *memory = mmap(0, 131072, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	memset(memory, 1, 131072);
	CHECK(madvise(memory, 65536, MADV_DONTNEED) == 0);
	CHECK(memory[0] == 0 && memory[65535] == 0 && memory[65536] == 1);
}
