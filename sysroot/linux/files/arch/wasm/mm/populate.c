// SPDX-License-Identifier: GPL-2.0
/*
 * A fault costs a signal and a system call of the host, which is more than a
 * page of zeros does. So memory that is written to in order is made in pieces
 * that double in size, each of it one run of page frames and one mapping of the
 * host. They are single pages to the kernel, each with a life of its own.
 */
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/oom.h>
#include <linux/pgtable.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/userfaultfd_k.h>
#include <linux/vmstat.h>
#include <asm/fault.h>
#include <asm/populate.h>

/* Most pages of a piece. */
#define MOST	(SZ_1M >> PAGE_SHIFT)

/* Pages right before and from `address` on that are there, and that are not. */
static unsigned int piece_at(struct vm_area_struct *vma, unsigned long address, const pte_t *ptep)
{
	unsigned int before = min((address - vma->vm_start) >> PAGE_SHIFT, pte_index(address));
	unsigned int after = min((vma->vm_end - address) >> PAGE_SHIFT,
				 PTRS_PER_PTE - pte_index(address));
	unsigned int there = 0, missing = 0;

	before = min_t(unsigned int, before, MOST);
	while (there < before && !pte_none(READ_ONCE(*(ptep - there - 1))))
		there++;
	after = min(after, there);
	while (missing < after && pte_none(READ_ONCE(ptep[missing])))
		missing++;
	return missing;
}

static struct page *allocate(unsigned int order)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page = alloc_pages(gfp & ~__GFP_DIRECT_RECLAIM, order);

	if (page)
		split_page(page, order);
	return page;
}

/* Returns how many pages were charged for. */
static unsigned int charge(struct mm_struct *mm, struct page *page, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (mem_cgroup_charge(page_folio(page + i), mm, GFP_NOWAIT | __GFP_NOWARN))
			break;
		__folio_mark_uptodate(page_folio(page + i));
	}
	return i;
}

static void free_pages_from(struct page *page, unsigned int first, unsigned int count)
{
	while (first < count)
		put_page(page + first++);
}

static void enter(struct vm_area_struct *vma, unsigned long address, pte_t *ptep,
		  struct page *page, unsigned int count)
{
	add_mm_counter(vma->vm_mm, MM_ANONPAGES, count);
	for (unsigned int i = 0; i < count; i++, address += PAGE_SIZE) {
		struct folio *folio = page_folio(page + i);
		pte_t pte = pte_mkyoung(pte_mkdirty(mk_pte(page + i, vma->vm_page_prot)));

		folio_add_new_anon_rmap(folio, vma, address, RMAP_EXCLUSIVE);
		folio_add_lru_vma(folio, vma);
		set_pte_at(vma->vm_mm, address, ptep + i, pte_mkwrite(pte, vma));
	}
}

bool populate_ahead(struct vm_area_struct *vma, unsigned long address)
{
	struct mm_struct *mm = vma->vm_mm;
	unsigned int wanted, count, order;
	struct page *page;
	spinlock_t *ptl;
	pmd_t *pmd;
	pte_t *ptep;

	if (!vma_is_anonymous(vma) || !vma->anon_vma || vma->vm_flags & (VM_SHARED | VM_GROWSDOWN) ||
	    userfaultfd_armed(vma))
		return false;
	address &= PAGE_MASK;
	pmd = pmd_off(mm, address);
	ptep = pte_offset_map(pmd, address);
	if (!ptep)
		return false;
	wanted = piece_at(vma, address, ptep);
	pte_unmap(ptep);
	if (wanted < 2)
		return false;

	order = ilog2(wanted);
	page = allocate(order);
	if (!page)
		return false;
	wanted = 1 << order;
	count = charge(mm, page, wanted);

	ptep = pte_offset_map_lock(mm, pmd, address, &ptl);
	if (ptep && !check_stable_address_space(mm))
		count = min(count, piece_at(vma, address, ptep));
	else
		count = 0;
	if (count) {
		enter(vma, address, ptep, page, count);
		tlb_fill(mm, address, ptep, count);
	}
	if (ptep)
		pte_unmap_unlock(ptep, ptl);
	free_pages_from(page, count, wanted);
	if (count) {
		current->min_flt++;
		count_vm_event(PGFAULT);
	}
	return count;
}
