// The memory that the library and its host ask for: there is no operating system. Blocks are only freed
// all together, with the instance.
#include <stddef.h>
#include <stdint.h>

enum { PAGE = 65536 };

void *malloc(size_t size)
{
	static uintptr_t next, end;
	size = (size + 15) & ~(size_t)15;
	if (size > end - next) {
		size_t pages = (size + PAGE - 1) / PAGE;
		size_t old = __builtin_wasm_memory_grow(0, pages);
		if (old == SIZE_MAX)
			return NULL;
		next = (uintptr_t)old * PAGE;
		end = next + pages * PAGE;
	}
	void *block = (void *)next;
	next += size;
	return block;
}

void free(void *block)
{
	(void)block;
}
