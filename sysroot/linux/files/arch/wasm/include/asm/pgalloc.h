/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_PGALLOC_H
#define _ASM_WASM_PGALLOC_H

#include <linux/mm.h>
#include <linux/slab.h>

#define __HAVE_ARCH_PGD_FREE
#include <asm-generic/pgalloc.h>

/* Much less than a page. */
static inline pgd_t *pgd_alloc(struct mm_struct *mm)
{
	return kcalloc(PTRS_PER_PGD, sizeof(pgd_t), GFP_KERNEL_ACCOUNT);
}

static inline void pgd_free(struct mm_struct *mm, pgd_t *pgd)
{
	kfree(pgd);
}

#define pmd_populate_kernel(mm, pmd, pte) \
	set_pmd(pmd, __pmd((unsigned long)(pte) | _PAGE_TABLE))
#define pmd_populate(mm, pmd, page) \
	set_pmd(pmd, __pmd((unsigned long)page_to_virt(page) | _PAGE_TABLE))

/* Nobody walks the tables of a dying mm any more. */
#define __pte_free_tlb(tlb, pte, addr)					\
do {									\
	if ((tlb)->fullmm) {						\
		pagetable_dtor(page_ptdesc(pte));			\
		tlb_remove_page((tlb), (pte));				\
	} else {							\
		tlb_remove_ptdesc((tlb), page_ptdesc(pte));		\
	}								\
} while (0)

#endif
