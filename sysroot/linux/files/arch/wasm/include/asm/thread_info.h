/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_THREAD_INFO_H
#define _ASM_WASM_THREAD_INFO_H

#include <linux/const.h>

/* 32 KiB of shadow stack, for what has its address taken; the rest is native. */
#if CONFIG_PAGE_SHIFT < 15
#define THREAD_SHIFT	15
#else
#define THREAD_SHIFT	CONFIG_PAGE_SHIFT
#endif
#define THREAD_SIZE_ORDER	(THREAD_SHIFT - CONFIG_PAGE_SHIFT)
#define THREAD_SIZE		(_AC(1, UL) << THREAD_SHIFT)

#ifndef __ASSEMBLY__
struct thread_info {
	unsigned long flags;
	unsigned long syscall_work;
	int preempt_count;
	int cpu;
};

#define INIT_THREAD_INFO(task)	{ .preempt_count = INIT_PREEMPT_COUNT }
#endif

#define TIF_NEED_RESCHED	0
#define TIF_SIGPENDING		1
#define TIF_NOTIFY_RESUME	2
#define TIF_NOTIFY_SIGNAL	3
#define TIF_SYSCALL_TRACE	4
#define TIF_SECCOMP		5
#define TIF_MEMDIE		6
#define TIF_RESTORE_SIGMASK	7

#define _TIF_NEED_RESCHED	(1 << TIF_NEED_RESCHED)
#define _TIF_SIGPENDING		(1 << TIF_SIGPENDING)
#define _TIF_NOTIFY_RESUME	(1 << TIF_NOTIFY_RESUME)
#define _TIF_NOTIFY_SIGNAL	(1 << TIF_NOTIFY_SIGNAL)
#define _TIF_SYSCALL_TRACE	(1 << TIF_SYSCALL_TRACE)
#define _TIF_SECCOMP		(1 << TIF_SECCOMP)

#endif
