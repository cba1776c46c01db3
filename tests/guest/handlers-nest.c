// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static int depth, deepest, calls;

static void handler(int signal)
{
	calls++;
	if (++depth > deepest) deepest = depth;
	if (signal < SIGRTMIN + 5) raise(signal + 1);
	if (signal == SIGRTMIN + 5 && calls < 20) raise(signal);
	depth--;
}

int main(void)
{
	for (int i = 0; i <= 5; i++) handle(SIGRTMIN + i, handler, 0);
	raise(SIGRTMIN);
	// The innermost blocks itself, so that one runs again only after it has come back.
	CHECK(depth == 0 && deepest == 6 && calls == 20);
}
