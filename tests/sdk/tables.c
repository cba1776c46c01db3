// SPDX-License-Identifier: MIT OR Apache-2.0
#include <stdio.h>
#include "tables.h"

extern step *const __start_steps[], *const __stop_steps[];
extern char __start_none[] __attribute__((weak)), __stop_none[] __attribute__((weak));
int has_more(void);

STEP(half) { return n / 2; }

int main(void)
{
	int rows = 0, sum = 0;
	for (step *const *row = __start_steps; row < __stop_steps; row++, rows++) sum += (*row)(100);
	printf("%d rows, %d, %d\n", rows * has_more(), sum, (int)(__stop_none - __start_none));
}
