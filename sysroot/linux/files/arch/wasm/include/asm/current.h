/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_CURRENT_H
#define _ASM_WASM_CURRENT_H

#ifndef __ASSEMBLY__
struct task_struct;

extern unsigned long __wasm_global current_task;

/* To be called once in the life of a task. */
void set_current(struct task_struct *task);

static __always_inline struct task_struct *get_current(void)
{
	return (struct task_struct *)current_task;
}

#define current get_current()
#endif

#endif
