// SPDX-License-Identifier: MIT OR Apache-2.0
#include "test.h"

static volatile int *gone;

static void touches(void) { *gone; }

static void moves_where_it_is_told(void)
{
	enum { SIZE = 131072 };
	char *from = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *to = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(from != MAP_FAILED && to != MAP_FAILED);
	from[70000] = 'f';
	to[70000] = 't';
	CHECK(mremap(from, SIZE, SIZE, MREMAP_FIXED, to) == MAP_FAILED && errno == EINVAL);
	CHECK(mremap(from, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to && to[70000] == 'f');
	gone = (int *)from;
	CHECK(died_of(status_of(touches), SIGSEGV));
	// A shared one stays shared, there and with other processes.
	char *shared = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	shared[70000] = 's';
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		shared = mremap(shared, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		CHECK(shared == to && shared[70000] == 's');
		shared[70000] = 'c';
		_exit(0);
	}
	CHECK(passed(wait_for(child)) && shared[70000] == 'c' && to[70000] == 'f');
}

int main(void)
{
	moves_where_it_is_told();
	enum { SMALL = 131072, LARGE = 4 << 20 };
	int *memory = mmap(0, SMALL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	for (unsigned i = 0; i < SMALL / sizeof(int); i++) memory[i] = i;
	// Something behind it, so that it cannot grow in place.
	CHECK(mmap((char *)memory + SMALL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	int *moved = mremap(memory, SMALL, LARGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED);
	for (unsigned i = 0; i < SMALL / sizeof(int); i++) CHECK(moved[i] == (int)i);
	CHECK(moved[LARGE / sizeof(int) - 1] == 0);
	CHECK(mremap(moved, LARGE, SMALL, 0) == moved && moved[7] == 7);
	gone = moved + SMALL / sizeof(int);
	CHECK(died_of(status_of(touches), SIGSEGV));
}
