// SPDX-License-Identifier: MIT OR Apache-2.0
// How a measure is taken: operations are repeated until they fill a slice of time, slices until
// their median means something.
#ifndef MEASURE_H
#define MEASURE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// A number that comes from calls that failed is worth nothing.
#define CHECK(condition)                                                                         \
	do {                                                                                     \
		if (!(condition)) {                                                              \
			fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition,     \
				strerror(errno));                                                \
			_exit(1);                                                                \
		}                                                                                \
	} while (0)

// Keeps the compiler from knowing `value`, or what it points at.
#define OPAQUE(value) __asm__ volatile("" : "+r"(value) : : "memory")

enum {
	// Short, so that most slices are whole ones of this program on a busy machine.
	SLICE = 2000000,
	SLICES = 15,
	// So much is enough even if these are fewer slices.
	ENOUGH = 1000000000,
	MOST = 1 << 22,
	// After so many seconds a measure hangs.
	PATIENCE = 60,
};

// Does the operation `count` times and returns the nanoseconds that this took. What it prepares and
// clears away is not in them.
typedef uint64_t operation(unsigned count);

struct measure {
	const char *name;
	operation *run;
	// Units in one operation; the result is the time of one of them.
	unsigned units;
};

__attribute__((unused)) static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

__attribute__((unused)) static void take(const struct measure *measure)
{
	uint64_t slices[SLICES];
	unsigned count = 1;
	alarm(PATIENCE);
	measure->run(1);
	for (uint64_t took; (took = measure->run(count)) < SLICE && count < MOST;)
		count *= took < SLICE / 16 ? 8 : 2;
	int taken = 0;
	for (uint64_t total = 0; taken < SLICES && total < ENOUGH; taken++)
		total += slices[taken] = measure->run(count);
	alarm(0);
	qsort(slices, taken, sizeof *slices, by_size);
	printf("%s %.1f\n", measure->name, (double)slices[taken / 2] / count / measure->units);
	fflush(stdout);
}

#endif
