// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <math.h>

static volatile double zero, one = 1, three = 3;

int main(void)
{
	char text[64];
	CHECK(isinf(one / zero) && isnan(zero / zero) && signbit(-zero));
	CHECK(one / three == 0x1.5555555555555p-2 && fma(one, three, -3.0) == 0);
	CHECK(sqrt(2.0 * one) == 0x1.6a09e667f3bcdp+0 && rint(2.5 * one) == 2 && floor(-0.5 * one) == -1);
	snprintf(text, sizeof text, "%.17g %a %Lg", 0.1 * one, 0.1 * one, 1e300L * one);
	CHECK(!strcmp(text, "0.10000000000000001 0x1.999999999999ap-4 1e+300"));
	CHECK(strtod("4.9e-324", 0) == 0x1p-1074 && (int64_t)(-1.9 * one) == -1);
	CHECK(sin(one) == 0x1.aed548f090ceep-1 && exp(one) == 0x1.5bf0a8b145769p+1);
}
