/* A union is passed by its address, and the value of a member by __semctl_value, see <bits/sem.h>. Where a program
 * calls through a pointer, a plain int still works: the value of a semaphore is at most 32767, and no address is
 * that small. */
#include <stdarg.h>
#include <stdint.h>
#define semctl semctl_of_union
#include <sys/sem.h>
#undef semctl
#include "syscall.h"
#include "../ipc.h"

union semun { int val; void *pointer; };

int __semctl_value(int id, int num, int cmd, unsigned long value)
{
	struct semid_ds state = { 0 }, *given = (void *)value;
	/* The kernel gives times in two words each. */
	int has_times = cmd & IPC_TIME64;
	int r = __syscall(SYS_semctl, id, num, IPC_CMD(cmd), has_times ? (unsigned long)&state : value);
	if (r >= 0 && has_times) {
		*given = state;
		IPC_HILO(given, sem_otime);
		IPC_HILO(given, sem_ctime);
	}
	return __syscall_ret(r);
}

int semctl(int id, int num, int cmd, ...)
{
	union semun *u = 0;
	va_list ap;
	switch (cmd) {
	case SETVAL: case GETALL: case SETALL: case IPC_SET: case IPC_INFO: case SEM_INFO:
	case IPC_STAT: case SEM_STAT: case SEM_STAT_ANY:
		va_start(ap, cmd);
		u = va_arg(ap, union semun *);
		va_end(ap);
	}
	return __semctl_value(id, num, cmd, (uintptr_t)u < 65536 ? (uintptr_t)u : (uintptr_t)u->pointer);
}
