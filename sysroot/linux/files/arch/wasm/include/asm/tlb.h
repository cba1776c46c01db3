/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_TLB_H
#define _ASM_WASM_TLB_H

struct mmu_gather;
static inline void tlb_flush(struct mmu_gather *tlb);
#define tlb_flush tlb_flush

#include <asm-generic/tlb.h>

static inline void tlb_flush(struct mmu_gather *tlb)
{
	/*
	 * No code runs over a dying mm, and the host drops it as a whole. Page
	 * tables themselves are in no TLB.
	 */
	if (tlb->fullmm || !tlb->cleared_ptes)
		return;
	host_tlb_flush(tlb->mm->context.host_mm, tlb->start,
		       (tlb->end - tlb->start) >> PAGE_SHIFT);
}

#if LINUX_OLDER
/* Called when no walker can see the table any more. */
static inline void __tlb_remove_table(void *table)
{
	pagetable_dtor(table);
	pagetable_free(table);
}
#endif

#endif
