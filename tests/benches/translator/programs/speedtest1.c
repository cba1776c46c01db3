// SPDX-License-Identifier: MIT OR Apache-2.0
// SQLite's own benchmark speedtest1, in memory. What it prints is its result: there is no clock but
// one that stands still, so that it prints the same each time.
#include "../program.h"
#include <stdarg.h>

static uint32_t state;

static int print(const char *format, ...)
{
	char line[512];
	va_list arguments;
	va_start(arguments, format);
	int size = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	state = sum(state, line, strlen(line));
	return size;
}

#define main speedtest1
#define printf print
// Lets it run several times.
#define SQLITE_SPEEDTEST1_WASM 1
#include <speedtest1.c>

uint32_t run(void)
{
	static char *argv[] = {"speedtest1", "--memdb", "--size", "2", "--verify", NULL};
	state = 0;
	if (speedtest1(5, argv))
		abort();
	return state;
}
