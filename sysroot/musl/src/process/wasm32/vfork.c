#define _GNU_SOURCE
#include <unistd.h>
#include "syscall.h"
pid_t vfork(void)
{
	return __syscall_ret(__import_vfork());
}
