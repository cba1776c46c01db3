// SPDX-License-Identifier: MIT OR Apache-2.0
// boot: --memory 512M
#include "test.h"
#include <alloca.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define GIB ((size_t)1 << 30)
#define STEP (64 << 20)
#define STACK (3 * GIB)

int main(int argc, char **argv)
{
	if (argc > 1) {
		size_t size = STACK - (16 << 20);
		volatile char *stack = alloca(size);
		// From the top down: one step of all would be more than the machine's memory.
		for (size_t i = size; i; i -= 4 << 20) stack[i - (4 << 20)] = (i >> 22) - 1;
		for (size_t i = 0; i < size; i += 4 << 20) CHECK(stack[i] == (char)(i >> 22));
		return 0;
	}
	size_t heap = 0;
	// musl has no sbrk.
	char *begin = (char *)syscall(SYS_brk, 0);
	while (heap < 2 * GIB && syscall(SYS_brk, begin + heap + STEP) == (long)(begin + heap + STEP)) heap += STEP;
	CHECK(heap >= GIB);
	for (size_t i = 0; i < heap; i += 4 << 20) begin[i] = i >> 22;

	size_t mapped = 0;
	for (volatile char *area; (area = mmap(0, STEP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED; mapped += STEP)
		for (size_t i = 0; i < STEP; i += 8 << 20) {
			CHECK(area[i] == 0);
			area[i] = 1;
		}
	CHECK(heap + mapped >= 3 * GIB - (128 << 20));
	for (size_t i = 0; i < heap; i += 4 << 20) CHECK(begin[i] == (char)(i >> 22));

	struct rlimit limit = { STACK, STACK };
	CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
	execl("/proc/self/exe", argv[0], "stack", (char *)0);
	return 1;
}
