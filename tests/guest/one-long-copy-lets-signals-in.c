// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --cpus 1
// A copy of many bytes is one instruction of the program. A signal does not wait for its end, the handler may do
// what it likes, and then the copy goes on, in a child that the handler made too.
#include <setjmp.h>
#include <sys/time.h>
#include "test.h"

enum { SIZE = 32 << 20, STEP = 4096, ROUNDS = 5000 };

static unsigned char *memory;
static volatile int seen, forks, jumps;
static volatile pid_t child;
static sigjmp_buf place;

// Bytes near the start and the end of what is written: whichever is written first and whichever last, and what
// they are before.
static volatile unsigned char *volatile first, *volatile last;
static volatile unsigned char old_first, old_last;

static void look(int signal)
{
	(void)signal;
	if (!first || *first == old_first || *last != old_last) return;
	seen = 1;
	if (forks) {
		forks = 0;
		child = fork();
	}
	if (jumps) siglongjmp(place, 1);
}

// `size` bytes are about to be written at `to`.
static void expect(unsigned char *to, size_t size, int backwards)
{
	unsigned char *start = to + 8 * STEP, *end = to + size - 8 * STEP;
	last = backwards ? start : end;
	old_last = *last;
	old_first = backwards ? *end : *start;
	first = backwards ? end : start;
}

// What a page holds.
static unsigned char content(int page, int round) { return page * 7 + page / 256 + round + 1; }

static int fill_is_interrupted(int round)
{
	expect(memory, SIZE, 0);
	memset(memory, round, SIZE);
	first = 0;
	for (int i = 0; i < SIZE; i += STEP / 2) CHECK(memory[i] == (unsigned char)round);
	CHECK(memory[SIZE - 1] == (unsigned char)round);
	return seen;
}

static int copy_is_interrupted(int round, int from, int to)
{
	const int size = SIZE / 2;
	for (int i = 0; i < SIZE; i += STEP) memory[i] = content(i / STEP, round);
	expect(memory + to, size, from < to && to < from + size);
	memmove(memory + to, memory + from, size);
	first = 0;
	for (int i = 0; i < size; i += STEP) CHECK(memory[to + i] == content((from + i) / STEP, round));
	return seen;
}

enum { FILL, APART, FORWARDS, BACKWARDS, KINDS };

static int is_interrupted(int kind, int round)
{
	switch (kind) {
	case FILL: return fill_is_interrupted(round);
	case APART: return copy_is_interrupted(round, 0, SIZE / 2);
	case FORWARDS: return copy_is_interrupted(round, SIZE / 4 + STEP, SIZE / 8);
	default: return copy_is_interrupted(round, SIZE / 8, SIZE / 4 + STEP);
	}
}

static void until_seen(int kind)
{
	seen = 0;
	for (int round = 0; round < ROUNDS; round++)
		if (is_interrupted(kind, round)) return;
	CHECK(!"a signal comes in the middle");
}

int main(void)
{
	memory = malloc(SIZE);
	CHECK(memory);
	memset(memory, 1, SIZE);
	handle(SIGALRM, look, SA_RESTART);
	struct itimerval timer = { { 0, 1000 }, { 0, 1000 } };
	CHECK(setitimer(ITIMER_REAL, &timer, 0) == 0);
	for (int kind = FILL; kind < KINDS; kind++) {
		until_seen(kind);

		// The child's copy is as good as the parent's.
		forks = 1;
		child = -1;
		until_seen(kind);
		if (child == 0) _exit(7);
		CHECK(child > 0);
		int status = wait_for(child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);

		jumps = 1;
		if (sigsetjmp(place, 1) == 0) {
			until_seen(kind);
			CHECK(!"the handler jumps out");
		}
		jumps = 0;
		first = 0;
	}
}
