/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_MMU_CONTEXT_H
#define _ASM_WASM_MMU_CONTEXT_H

#include <linux/mm_types.h>

#define init_new_context init_new_context
int init_new_context(struct task_struct *task, struct mm_struct *mm);

#define destroy_context destroy_context
void destroy_context(struct mm_struct *mm);

/* Nothing to load: a task's code holds the address of its linear memory. */
static inline void switch_mm(struct mm_struct *prev, struct mm_struct *next,
			     struct task_struct *task)
{
}

#include <asm-generic/mm_hooks.h>
#include <asm-generic/mmu_context.h>

#endif
