/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_PGALLOC_H
#define _ASM_WASM_PGALLOC_H

#include <linux/mm.h>
#include <asm-generic/pgalloc.h>

static inline pgd_t *pgd_alloc(struct mm_struct *mm)
{
	return (pgd_t *)get_zeroed_page(GFP_KERNEL);
}

#define pmd_populate_kernel(mm, pmd, pte) \
	set_pmd(pmd, __pmd((unsigned long)(pte) | _PAGE_TABLE))
#define pmd_populate(mm, pmd, page) \
	set_pmd(pmd, __pmd((unsigned long)page_to_virt(page) | _PAGE_TABLE))

#define __pte_free_tlb(tlb, pte, addr)					\
do {									\
	pagetable_pte_dtor(page_ptdesc(pte));				\
	tlb_remove_table((tlb), page_ptdesc(pte));			\
} while (0)

#endif
