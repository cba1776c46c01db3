#include <string.h>
#include "block.h"
void *memmove(void *d, const void *s, size_t n)
{
	if (n <= SHORT) move_short(d, s, n);
	else __builtin_memmove(d, s, n);
	return d;
}
