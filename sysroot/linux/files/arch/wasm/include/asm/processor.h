/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_PROCESSOR_H
#define _ASM_WASM_PROCESSOR_H

#include <asm/linnet_abi.h>
#include <asm/page.h>
#include <asm/ptrace.h>

/*
 * A process has all of its linear memory but the first and the last 64 KiB. Code
 * that runs past the end of one memory touches the start of another.
 */
#define TASK_START		((unsigned long)LINNET_NULL_GUARD)
#define TASK_SIZE		0xFFFF0000UL
#define TASK_UNMAPPED_BASE	PAGE_ALIGN(TASK_SIZE / 3)
#define STACK_TOP		TASK_SIZE
#define STACK_TOP_MAX		STACK_TOP

#ifndef __ASSEMBLY__
struct task_struct;

struct thread_struct {
	bool on_host;			/* has native stacks */
	int (*function)(void *);	/* of a kernel thread */
	void *argument;
};

#define INIT_THREAD	{ .on_host = true }

#define task_pt_regs(task) \
	((struct pt_regs *)((unsigned long)task_stack_page(task) + THREAD_SIZE) - 1)

#define KSTK_EIP(task)	(task_pt_regs(task)->pc)
#define KSTK_ESP(task)	(task_pt_regs(task)->sp)

/* Takes interrupts: two vCPUs may spin for each other's answer. */
void cpu_relax(void);

void start_thread(struct pt_regs *regs, unsigned long pc, unsigned long sp);
unsigned long __get_wchan(struct task_struct *task);
#endif

#endif
