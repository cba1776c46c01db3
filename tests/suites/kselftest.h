/* Included before each of the kernel's selftests. Some use what they do not include, for glibc's
 * headers include each other more than others do. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __wasm__
/* System calls that are younger than this machine's musl. */
#include <asm/unistd.h>
#endif

#define DEFFILEMODE	0666
#define RENAME_EXCHANGE	2
typedef long __fsword_t;
#include <limits.h>
#undef PAGE_SIZE

/* musl's header of this is the kernel's. */
#define _LINUX_PRCTL_H
#define PR_SET_MDWE		65
#define PR_MDWE_REFUSE_EXEC_GAIN	(1UL << 0)
#define PR_MDWE_NO_INHERIT	(1UL << 1)
#define PR_GET_MDWE		66
#define PR_SET_MEMORY_MERGE	67
#define PR_GET_MEMORY_MERGE	68

/* glibc's name of a member. */
#undef sigev_notify_thread_id
#define _sigev_un	__sev_fields
#define _tid		sigev_notify_thread_id

#ifdef __wasm__
/* The kernel's header has one of this name as well. */
#define user_regs_struct musl_user_regs_struct
#include <sys/user.h>
#undef user_regs_struct
/* The guest does not have it: its times have 64 bits. */
#define __NR_nanosleep 101
#endif

#define __GLIBC_PREREQ(major, minor) 1

static inline int kselftest_renameat2(int from, const char *name, int to, const char *other, unsigned flags)
{
	return syscall(SYS_renameat2, from, name, to, other, flags);
}
#define renameat2 kselftest_renameat2
