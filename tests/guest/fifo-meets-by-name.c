// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

int main(void)
{
	char path[] = "/tmp/fifo-XXXXXX", text[8];
	CHECK(mktemp(path) && mkfifo(path, 0600) == 0);
	CHECK(open(path, O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO);
	pid_t child = fork();
	if (child == 0) {
		int out = open(path, O_WRONLY);
		CHECK(out >= 0 && write(out, "through", 7) == 7);
		_exit(0);
	}
	int in = open(path, O_RDONLY);
	CHECK(in >= 0 && read(in, text, sizeof text) == 7 && !memcmp(text, "through", 7));
	CHECK(passed(wait_for(child)) && unlink(path) == 0);
}
