/* Variadic arguments lie in memory at their own sizes, so a slot is a long: a 64-bit value has to be
 * given in two halves, as on other 32-bit machines, and only where the call takes it so. */
#define _BSD_SOURCE
#include <unistd.h>
#include "optional_arguments.h"
#include "syscall.h"
#undef syscall
long syscall(long n, ...)
{
	long a[6];
	va_list ap;
	va_start(ap, n);
	for (int i=0; i<6; i++) a[i] = va_arg(ap, long);
	va_end(ap);
	return __syscall_ret(__syscall(n, a[0], a[1], a[2], a[3], a[4], a[5]));
}
