// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <sys/auxv.h>
#include <sys/random.h>

int main(void)
{
	unsigned char one[64], two[64];
	CHECK(getrandom(one, sizeof one, 0) == sizeof one && getrandom(two, sizeof two, 0) == sizeof two);
	CHECK(memcmp(one, two, sizeof one));
	CHECK(getauxval(AT_RANDOM) && getauxval(AT_PAGESZ) == (unsigned long)sysconf(_SC_PAGESIZE));
}
