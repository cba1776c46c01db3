/* A union is passed by its address. Many programs give SETVAL a plain int instead, which works on
 * other machines: the value of a semaphore is at most 32767, and no address is that small. */
#include <stdarg.h>
#include <stdint.h>
static void *semun(va_list slot)
{
	void *address = *(void **)slot;
	return (uintptr_t)address < 65536 ? slot : address;
}
#undef va_arg
#define va_arg(list, type) (*(type *)semun(list))
#include "../semctl.c"
