// SPDX-License-Identifier: MIT OR Apache-2.0
// The same malloc for all: the C libraries' own differ, and this is about code generators. Blocks of
// equal classes of sizes, in lists of free ones.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ARENA = 96 << 20, CLASSES = 112, HEADER = 16 };

static char *arena;
static size_t used;
static void *free_blocks[CLASSES];

#ifdef __wasi__
static char *memory(void)
{
	size_t page = __builtin_wasm_memory_grow(0, ARENA >> 16);
	return page == SIZE_MAX ? NULL : (char *)(page << 16);
}
#else
#include <sys/mman.h>

static char *memory(void)
{
	void *place = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return place == MAP_FAILED ? NULL : place;
}
#endif

// Four classes for each power of two. *size becomes that of the class.
static unsigned class_of(size_t *size)
{
	size_t s = *size < 16 ? 16 : *size;
	unsigned log = (unsigned)(8 * sizeof(unsigned long) - 1 - __builtin_clzl(s));
	size_t step = (size_t)1 << (log - 2);
	size_t steps = (s - ((size_t)1 << log) + step - 1) >> (log - 2);
	*size = ((size_t)1 << log) + (steps << (log - 2));
	return (log - 4) * 4 + (unsigned)steps;
}

void *malloc(size_t size)
{
	if (size > ARENA)
		return NULL;
	unsigned class = class_of(&size);
	char *block = free_blocks[class];
	if (block) {
		free_blocks[class] = *(void **)block;
		return block;
	}
	size = (size + HEADER + 15) & ~(size_t)15;
	if (!arena && !(arena = memory()))
		return NULL;
	if (size > ARENA - used)
		return NULL;
	block = arena + used + HEADER;
	used += size;
	*(unsigned *)(block - HEADER) = class;
	return block;
}

void free(void *block)
{
	if (!block)
		return;
	unsigned class = *(unsigned *)((char *)block - HEADER);
	*(void **)block = free_blocks[class];
	free_blocks[class] = block;
}

void *calloc(size_t count, size_t size)
{
	if (size && count > ARENA / size)
		return NULL;
	void *block = malloc(count * size);
	return block ? memset(block, 0, count * size) : NULL;
}

void *realloc(void *old, size_t size)
{
	if (!old)
		return malloc(size);
	unsigned class = *(unsigned *)((char *)old - HEADER);
	unsigned log = class / 4 + 4;
	size_t has = ((size_t)1 << log) + ((size_t)(class % 4) << (log - 2));
	if (size <= has)
		return old;
	void *block = malloc(size);
	if (block) {
		memcpy(block, old, has);
		free(old);
	}
	return block;
}
