// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static char bss[300000];

int main(void)
{
	for (unsigned i = 0; i < sizeof bss; i++) CHECK(bss[i] == 0);
	unsigned long start = syscall(SYS_brk, 0);
	CHECK(start >= (unsigned long)(bss + sizeof bss));
	CHECK((unsigned long)syscall(SYS_brk, start + 500000) == start + 500000);
	for (char *p = (char *)start; p < (char *)start + 500000; p++) {
		CHECK(*p == 0);
		*p = 1;
	}
	CHECK((unsigned long)syscall(SYS_brk, start) == start);
}
