// SPDX-License-Identifier: GPL-2.0
/*
 * The wasm globals of the kernel. They are not in memory: each task has its
 * own, in its context. clang cannot compile a definition that the same file
 * does not use.
 */
#include <linux/cache.h>
#include <linux/irqflags.h>
#include <linux/sched.h>

unsigned long __wasm_global current_task;
unsigned long __wasm_global irq_flag;

void set_current(struct task_struct *task)
{
	current_task = (unsigned long)task;
	irq_flag = ARCH_IRQ_DISABLED;
}
