// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#define MADV_KEEPONFORK 19
#endif

enum { SIZE = 65536 };
static volatile char *memory;

static void reads(void) { memory[5]; }
static void is_zero(void) { CHECK(memory[5] == 0); }
static void is_seven(void) { CHECK(memory[5] == 7); }

static void advise(int advice)
{
	CHECK(madvise((void *)memory, SIZE, advice) == 0);
}

int main(void)
{
	memory = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	memory[5] = 7;
	CHECK(passed(status_of(is_seven)));
	advise(MADV_DONTFORK);
	CHECK(died_of(status_of(reads), SIGSEGV));
	advise(MADV_DOFORK);
	CHECK(passed(status_of(is_seven)));
	advise(MADV_WIPEONFORK);
	CHECK(passed(status_of(is_zero)));
	advise(MADV_KEEPONFORK);
	CHECK(passed(status_of(is_seven)) && memory[5] == 7);
	// What is only a hint leaves all as it is.
	advise(MADV_WILLNEED);
	advise(MADV_SEQUENTIAL);
	advise(MADV_RANDOM);
	advise(MADV_NORMAL);
	CHECK(memory[5] == 7);
	// What may be lost is what it was or zero, until it is written again.
	advise(MADV_FREE);
	CHECK(memory[5] == 7 || memory[5] == 0);
	memory[5] = 9;
	CHECK(memory[5] == 9);
	// A file's pages come back from the file.
	FILE *file = tmpfile();
	CHECK(file && ftruncate(fileno(file), SIZE) == 0 && pwrite(fileno(file), "f", 1, 5) == 1);
	for (int shared = 0; shared < 2; shared++) {
		memory = mmap(0, SIZE, PROT_READ | PROT_WRITE, shared ? MAP_SHARED : MAP_PRIVATE, fileno(file), 0);
		CHECK(memory != MAP_FAILED && memory[5] == 'f');
		memory[5] = 'm';
		advise(MADV_DONTNEED);
		CHECK(memory[5] == (shared ? 'm' : 'f'));
	}
	CHECK(madvise((char *)memory + 1, SIZE, MADV_DONTNEED) == -1 && errno == EINVAL);
	CHECK(munmap((void *)memory, SIZE) == 0);
	CHECK(madvise((void *)memory, SIZE, MADV_DONTNEED) == -1 && errno == ENOMEM);
}
