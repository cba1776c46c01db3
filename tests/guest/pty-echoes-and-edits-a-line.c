// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"
#include <pty.h>
#include <sys/ioctl.h>

static void expect(int fd, const char *text)
{
	char got[64];
	size_t size = 0;
	while (size < strlen(text)) {
		ssize_t n = read(fd, got + size, sizeof got - size);
		CHECK(n > 0);
		size += n;
	}
	CHECK(size == strlen(text) && !memcmp(got, text, size));
}

int main(void)
{
	int terminal, program;
	struct winsize set = { .ws_row = 33, .ws_col = 101 }, got;
	CHECK(openpty(&terminal, &program, 0, 0, &set) == 0 && isatty(program));
	CHECK(ioctl(program, TIOCGWINSZ, &got) == 0 && got.ws_row == 33 && got.ws_col == 101);
	CHECK(write(terminal, "abx\177c\n", 6) == 6);
	expect(terminal, "abx\b \bc\r\n");
	expect(program, "abc\n");
	CHECK(write(program, "out\n", 4) == 4);
	expect(terminal, "out\r\n");
}
