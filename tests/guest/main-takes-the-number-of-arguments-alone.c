// SPDX-License-Identifier: MIT OR Apache-2.0
// Every Unix starts a main of any type.
#pragma clang diagnostic ignored "-Wmain"
#pragma clang diagnostic ignored "-Wmain-return-type"
#include "test.h"

int main(int argc)
{
	CHECK(argc == 1);
	return 0;
}
