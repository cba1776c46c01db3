/* As ever, but for where the stack goes. */
#define _GNU_SOURCE
#include "pthread_impl.h"
#include "stacks.h"
#include <sys/mman.h>
#define __munmap(base, size) __free_stack(base, size, t->guard_size)
#include "../pthread_join.c"
