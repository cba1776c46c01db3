#include "pthread_impl.h"
#include "optional_arguments.h"
#include "syscall.h"
int __clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
	va_list ap;
	va_start(ap, arg);
	void *ptid = va_arg(ap, void *), *tls = va_arg(ap, void *), *ctid = va_arg(ap, void *);
	va_end(ap);
	return __import_clone(fn, arg, (void *)((uintptr_t)stack & -16), flags, ptid, tls, ctid);
}
