// SPDX-License-Identifier: GPL-2.0
/*
 * A fault costs a signal and a system call of the host, which is more than a
 * page of zeros does. So memory that is written to in order, up or down, is made
 * in pieces that double in size, each of it one run of page frames and one
 * mapping of the host. They are single pages to the kernel, each with a life of
 * its own.
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

/* Most pages of a piece, as a power of two. */
#define MOST_ORDER	ilog2(SZ_1M >> PAGE_SHIFT)

static bool is_at_least(const pte_t *ptep, unsigned int count, unsigned int least)
{
	unsigned int there = 0;

	while (count && there < least && there + count >= least)
		there += !pte_none(READ_ONCE(ptep[--count]));
	return there >= least;
}

/*
 * The order of the largest aligned piece around `address` of which nothing is
 * there, but most of as much before it or behind it: loops write to memory
 * upwards or downwards, and unrolled ones a few pages back and forth.
 */
static unsigned int order_at(struct vm_area_struct *vma, unsigned long address, const pte_t *ptep)
{
	for (unsigned int order = MOST_ORDER; order; order--) {
		unsigned int count = 1 << order;
		unsigned long size = PAGE_SIZE << order;
		unsigned long start = round_down(address, size);
		const pte_t *first = ptep - ((address - start) >> PAGE_SHIFT);

		if (start < vma->vm_start || vma->vm_end - start < size ||
		    is_at_least(first, count, 1))
			continue;
		if (start - vma->vm_start >= size && pte_index(start) &&
		    is_at_least(first - count, count, count / 2 + 1))
			return order;
		if (vma->vm_end - start >= 2 * size && pte_index(start + size) &&
		    is_at_least(first + count, count, count / 2 + 1))
			return order;
	}
	return 0;
}

static struct page *allocate(unsigned int order)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page = alloc_pages(gfp & ~__GFP_DIRECT_RECLAIM, order);

	if (page)
		split_page(page, order);
	return page;
}

static bool charge(struct mm_struct *mm, struct page *page, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (mem_cgroup_charge(page_folio(page + i), mm, GFP_NOWAIT | __GFP_NOWARN))
			return false;
		__folio_mark_uptodate(page_folio(page + i));
	}
	return true;
}

static void put_pages(struct page *page, unsigned int count)
{
	while (count--)
		put_page(page + count);
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
	unsigned int order, count;
	bool is_made = false;
	struct page *page;
	spinlock_t *ptl;
	pmd_t *pmd;
	pte_t *ptep;

	if (!vma_is_anonymous(vma) || !vma->anon_vma || vma->vm_flags & (VM_SHARED | VM_GROWSDOWN) ||
	    userfaultfd_armed(vma))
		return false;
	pmd = pmd_off(mm, address);
	ptep = pte_offset_map(pmd, address);
	if (!ptep)
		return false;
	order = order_at(vma, address, ptep);
	pte_unmap(ptep);
	if (!order)
		return false;

	page = allocate(order);
	if (!page)
		return false;
	count = 1 << order;
	address = round_down(address, PAGE_SIZE << order);
	if (charge(mm, page, count)) {
		ptep = pte_offset_map_lock(mm, pmd, address, &ptl);
		if (ptep) {
			is_made = !is_at_least(ptep, count, 1) && !check_stable_address_space(mm);
			if (is_made) {
				enter(vma, address, ptep, page, count);
				tlb_fill(mm, address, ptep, count);
			}
			pte_unmap_unlock(ptep, ptl);
		}
	}
	if (is_made) {
		current->min_flt++;
		count_vm_event(PGFAULT);
	} else {
		put_pages(page, count);
	}
	return is_made;
}
