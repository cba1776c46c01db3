// SPDX-License-Identifier: MIT OR Apache-2.0
// Declarations that are not those of the definitions, as in programs of before prototypes.
#include <stdio.h>

extern int offset(int, int);
extern long long length(void);
extern int nothing(int, int, int);

int main(void)
{
	printf("%d ", offset(-7, 2));
	printf("%lld ", length());
	nothing(1, 2, 3);
	puts("end");
}
