// SPDX-License-Identifier: MIT OR Apache-2.0
// The kernel makes pages ahead of a program that writes to memory in order.
#include "test.h"
#include <pthread.h>
#include <sys/resource.h>

enum { SIZE = 6 << 20, PAGES = 96 };

static size_t page;

static unsigned char *map(size_t size)
{
	unsigned char *area = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(area != MAP_FAILED);
	return area;
}

// What each word of a page is to be.
static void write_page(unsigned char *at, unsigned value)
{
	unsigned *words = (unsigned *)at;
	for (size_t i = 0; i < page / sizeof *words; i++) {
		CHECK(words[i] == 0);
		words[i] = value + i;
	}
}

static void check_page(const unsigned char *at, unsigned value)
{
	const unsigned *words = (const unsigned *)at;
	for (size_t i = 0; i < page / sizeof *words; i++) CHECK(words[i] == value + i);
}

static unsigned char *shared;

// Every second page, so that one thread runs into what the other's faults have made.
static void *write_every_second(void *first)
{
	for (size_t at = (intptr_t)first * page; at < SIZE; at += 2 * page) write_page(shared + at, at);
	return 0;
}

static void two_threads_at_once(void)
{
	for (int round = 0; round < 8; round++) {
		pthread_t threads[2];
		shared = map(SIZE);
		for (intptr_t i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], 0, write_every_second, (void *)i) == 0);
		for (int i = 0; i < 2; i++) CHECK(pthread_join(threads[i], 0) == 0);
		for (size_t at = 0; at < SIZE; at += page) check_page(shared + at, at);
		CHECK(munmap(shared, SIZE) == 0);
	}
}

static void two_processes_at_once(void)
{
	pid_t children[2];
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		CHECK(children[i] >= 0);
		if (children[i] == 0) {
			for (int round = 0; round < 8; round++) {
				unsigned char *area = map(SIZE);
				for (size_t at = 0; at < SIZE; at += page) write_page(area + at, at + i);
				for (size_t at = 0; at < SIZE; at += page) check_page(area + at, at + i);
				CHECK(munmap(area, SIZE) == 0);
			}
			_exit(0);
		}
	}
	for (int i = 0; i < 2; i++) CHECK(passed(wait_for(children[i])));
}

static void ends_where_others_begin(void)
{
	unsigned char *area = map(PAGES * page), there[PAGES];
	CHECK(mprotect(area + 40 * page, page, PROT_READ) == 0);
	unsigned char *file = mmap(area + 70 * page, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(file == area + 70 * page);
	write_page(area + 55 * page, 55);
	for (int i = 0; i < PAGES; i++)
		if (i != 40 && i != 55) write_page(area + i * page, i);
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		for (int i = 0; i < PAGES; i++)
			if (i != 40) area[i * page] = 0xee;
		_exit(0);
	}
	CHECK(passed(wait_for(child)));
	CHECK(file[0] == 0xee);
	for (int i = 0; i < PAGES; i++)
		if (i != 40 && i != 70) check_page(area + i * page, i);
	CHECK(madvise(area + 10 * page, 20 * page, MADV_DONTNEED) == 0);
	for (int i = 10; i < 30; i++) write_page(area + i * page, i + 1000);
	check_page(area + 9 * page, 9);
	check_page(area + 30 * page, 30);
	CHECK(munmap(area, PAGES * page) == 0);

	// A page alone brings no others.
	area = map(PAGES * page);
	for (int i = 0; i < PAGES; i += 3) area[i * page] = 1;
	CHECK(mincore(area, PAGES * page, there) == 0);
	for (int i = 0; i < PAGES; i++) CHECK((there[i] & 1) == (i % 3 == 0));
}

static long faults(void)
{
	struct rusage usage;
	CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	return usage.ru_minflt;
}

static void takes_few_faults_in_either_direction(void)
{
	enum { UP, DOWN, UNROLLED, WAYS };
	for (int way = UP; way < WAYS; way++) {
		unsigned char *area = map(SIZE);
		long before = faults();
		for (size_t at = 0; at < SIZE; at += 4096) {
			// Compilers turn a loop's stores around if they unroll it.
			size_t turned = at ^ 0x7000;
			area[way == UP ? at : way == DOWN ? SIZE - 1 - at : turned] = 1;
		}
		CHECK(faults() - before < 16);
		CHECK(munmap(area, SIZE) == 0);
	}
}

int main(void)
{
	page = sysconf(_SC_PAGESIZE);
	takes_few_faults_in_either_direction();
	two_threads_at_once();
	two_processes_at_once();
	ends_where_others_begin();
}
