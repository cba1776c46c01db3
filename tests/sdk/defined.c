// SPDX-License-Identifier: MIT OR Apache-2.0
#include <stdio.h>

long long offset(long long base, int step) { return base * step; }
int length(void) { return -3; }
void nothing(int one) { printf("%d ", one); }
