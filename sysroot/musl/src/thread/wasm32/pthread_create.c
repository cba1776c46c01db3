/* As ever, but for where the stack comes from: it is there with its guard when it is asked for. */
#define _GNU_SOURCE
#include "pthread_impl.h"
#include "stacks.h"
#include <sys/mman.h>
#define __mmap(address, size, protection, flags, fd, offset) __new_stack(size, guard)
#define __mprotect(address, size, protection) 0
#define __munmap(base, size) __free_stack(base, size, guard)
#include "../pthread_create.c"
