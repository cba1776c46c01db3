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

/* Fork copies pages at once that the parent and the child are about to write to. */
bool arch_copies_at_fork(struct vm_area_struct *vma, unsigned long address);
#define arch_copies_at_fork arch_copies_at_fork

int arch_dup_mmap(struct mm_struct *from, struct mm_struct *to);

static inline void arch_exit_mmap(struct mm_struct *mm)
{
}

static inline bool arch_vma_access_permitted(struct vm_area_struct *vma, bool write,
					     bool execute, bool foreign)
{
	return true;
}

#include <asm-generic/mmu_context.h>

#endif
