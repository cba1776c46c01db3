/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_TLBFLUSH_H
#define _ASM_WASM_TLBFLUSH_H

#include <linux/mm_types.h>
#include <asm/linnet_abi.h>

#define TLB_FLUSH_ALL_PAGES	(1U << (32 - PAGE_SHIFT))

/* After fork, which has taken nothing but the right to write. */
void flush_tlb_mm(struct mm_struct *mm);

/* The host drops a mapping for all vCPUs at once, so no IPI is needed. */
static inline void flush_tlb_range(struct vm_area_struct *vma,
				   unsigned long start, unsigned long end)
{
	host_tlb_flush(vma->vm_mm->context.host_mm, start, (end - start) >> PAGE_SHIFT);
}

static inline void flush_tlb_page(struct vm_area_struct *vma, unsigned long address)
{
	host_tlb_flush(vma->vm_mm->context.host_mm, address & PAGE_MASK, 1);
}

/* Of the kernel's memory only vmalloc space is ever remapped. */
void flush_tlb_kernel_range(unsigned long start, unsigned long end);
void flush_tlb_all(void);

#endif
