// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static int fds[2];

static void writes(void) { CHECK(write(fds[1], "x", 1) == 1); }

int main(void)
{
	CHECK(pipe(fds) == 0 && close(fds[0]) == 0);
	CHECK(died_of(status_of(writes), SIGPIPE));
	handle(SIGPIPE, SIG_IGN, 0);
	CHECK(write(fds[1], "x", 1) == -1 && errno == EPIPE);
}
