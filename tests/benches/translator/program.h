// SPDX-License-Identifier: MIT OR Apache-2.0
// What all programs of the benchmark have: `run` does a fixed amount of work and returns a number that
// depends on all of it. It gives the same each time.
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

uint32_t run(void);

__attribute__((unused)) static uint32_t rnd(uint32_t *state)
{
	uint32_t x = *state;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

// Adds bytes to a checksum (FNV-1a).
__attribute__((unused)) static uint32_t sum(uint32_t state, const void *bytes, size_t size)
{
	for (const uint8_t *byte = bytes; size--; byte++)
		state = (state ^ *byte) * 16777619;
	return state;
}

// Fills memory with text: words of a small vocabulary, numbers and line ends.
__attribute__((unused)) static void text(char *to, size_t size, uint32_t seed)
{
	static const char *const words[] = {
	    "memory",  "the ",	  "function", "of ",	 "loop ",  "a ",	"register ",
	    "kernel ", "process", "(",	      ") ",	 ", ",	   "= ",	"if ",
	    "return ", "struct ", "\n\t",     "->",	 "static ", "unsigned ", "pointer ",
	    "\n",      "call ",	  "while ",   "0x%08x ", "int ",
	};
	const size_t count = sizeof words / sizeof *words;
	for (size_t at = 0; at < size;) {
		uint32_t r = rnd(&seed) >> 7;
		char number[12];
		const char *word = words[(r & 255) * (r >> 8 & 255) * count >> 16];
		if (r >> 16 & 1 && r >> 17 & 1) {
			snprintf(number, sizeof number, "%u ", (r >> 20) * 7919 % 4096);
			word = number;
		}
		while (*word && at < size)
			to[at++] = *word++;
	}
}

#endif
