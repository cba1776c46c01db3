// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static void ignores_it(void)
{
	handle(SIGABRT, SIG_IGN, 0);
	abort();
}

int main(void)
{
	CHECK(died_of(status_of(ignores_it), SIGABRT));
}
