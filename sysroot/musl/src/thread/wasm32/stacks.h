/* Stacks of ended threads wait for the next ones. To map a stack, fault its pages in and unmap it again
 * takes longer than all else that a short thread does. */
#include <stddef.h>
#include <features.h>

/* A stack with `guard` bytes at its start that nobody may touch, whose end is zero as far as libc
 * uses it; or MAP_FAILED, with errno set. */
hidden void *__new_stack(size_t size, size_t guard);

/* Takes a stack back that nothing reads or writes any more. 0 or -1, as munmap. */
hidden int __free_stack(void *base, size_t size, size_t guard);
