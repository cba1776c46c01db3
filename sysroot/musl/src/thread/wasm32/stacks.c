#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include "pthread_impl.h"
#include "atomic.h"
#include "stacks.h"

/* All of one size, that of a thread without attributes. */
static void *volatile waiting[16];

#define ENTRIES (sizeof waiting / sizeof *waiting)
#define ROUND(x) (((x)+PAGE_SIZE-1)&-PAGE_SIZE)

static size_t needed(void)
{
	return libc.tls_size + __pthread_tsd_size;
}

static int is_usual(size_t size, size_t guard)
{
	return guard == ROUND(DEFAULT_GUARD_SIZE) && size == guard + ROUND(DEFAULT_STACK_SIZE + needed());
}

void *__new_stack(size_t size, size_t guard)
{
	for (int i = 0; i < ENTRIES && is_usual(size, guard); i++) {
		void *base = waiting[i];
		if (base && a_cas_p(&waiting[i], base, 0) == base) {
			memset((char *)base + size - needed(), 0, needed());
			return base;
		}
	}
	unsigned char *map = __mmap(0, size, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANON, -1, 0);
	if (map != MAP_FAILED && guard && __mprotect(map, guard, PROT_NONE)) {
		__munmap(map, size);
		return MAP_FAILED;
	}
	return map;
}

int __free_stack(void *base, size_t size, size_t guard)
{
	for (int i = 0; i < ENTRIES && is_usual(size, guard); i++)
		if (!waiting[i] && !a_cas_p(&waiting[i], 0, base)) return 0;
	return __munmap(base, size);
}
