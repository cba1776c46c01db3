// SPDX-License-Identifier: GPL-2.0
/*
 * A fault costs a signal and a system call of the host, which is more than a
 * page of zeros does. So memory that is written to in order, up or down, is made
 * in growing pieces, each of it one run of page frames and one mapping of the
 * host. They are single pages to the kernel, each with a life of its own.
 */
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/oom.h>
#include <linux/pgtable.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/userfaultfd_k.h>
#include <linux/vmstat.h>
#include <asm/fault.h>
#include <asm/linnet_abi.h>
#include <asm/older.h>
#include <asm/populate.h>

/* Newer versions of Linux declare it for mm/ alone. */
void folio_add_lru_vma(struct folio *folio, struct vm_area_struct *vma);

/* Most pages of a piece, as a power of two: a large page of the host. */
#define MOST_ORDER	ilog2(LINNET_LARGE_PAGE >> PAGE_SHIFT)

/* Pages that are made at once. */
struct piece {
	unsigned long address;
	unsigned int count;
};

static bool is_at_least(const pte_t *ptep, unsigned int count, unsigned int least)
{
	unsigned int there = 0;

	while (count && there < least && there + count >= least)
		there += !pte_none(READ_ONCE(ptep[--count]));
	return there >= least;
}

/* Is most of the aligned block before or behind an empty one there? */
static bool is_next(struct vm_area_struct *vma, unsigned long start, const pte_t *block,
		    unsigned int count)
{
	unsigned long size = count << PAGE_SHIFT;

	return (start - vma->vm_start >= size && pte_index(start) &&
		is_at_least(block - count, count, count / 2 + 1)) ||
	       (vma->vm_end - start >= 2 * size && pte_index(start + size) &&
		is_at_least(block + count, count, count / 2 + 1));
}

/*
 * Is memory written to in order from that part of a block of `count` pages to a
 * page that lies `distance` behind or before it?
 */
static bool goes_on(const pte_t *part, unsigned int size, unsigned int distance,
		    unsigned int count)
{
	return distance < size && is_at_least(part, size, max3(size / 2 + 1, count / 4, 2u));
}

/*
 * What is missing around `address` of the largest aligned block of which a
 * quarter is there already, or all of one whose neighbour is: loops write to
 * memory upwards or downwards, and unrolled ones a few pages back and forth.
 */
static struct piece piece_at(struct vm_area_struct *vma, unsigned long address, const pte_t *ptep)
{
	for (unsigned int order = MOST_ORDER; order; order--) {
		unsigned int count = 1 << order;
		unsigned long size = PAGE_SIZE << order;
		unsigned long start = round_down(address, size);
		unsigned int here = (address - start) >> PAGE_SHIFT;
		unsigned int first = here, last = here;
		const pte_t *block = ptep - here;

		if (start < vma->vm_start || vma->vm_end - start < size)
			continue;
		while (first && pte_none(READ_ONCE(block[first - 1])))
			first--;
		while (last + 1 < count && pte_none(READ_ONCE(block[last + 1])))
			last++;
		if (goes_on(block, first, here - first, count) ||
		    goes_on(block + last + 1, count - last - 1, last - here, count) ||
		    (last - first + 1 == count && is_next(vma, start, block, count)))
			return (struct piece) { start + (first << PAGE_SHIFT), last - first + 1 };
	}
	return (struct piece) { address, 1 };
}

static void put_pages(struct page *page, unsigned int count)
{
	while (count--)
		put_page(page + count);
}

static struct page *allocate(unsigned int count)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_NOWARN | __GFP_NORETRY;
	unsigned int order = order_base_2(count);
	struct page *page = alloc_pages(gfp & ~__GFP_DIRECT_RECLAIM, order);

	if (!page)
		return NULL;
	if (count << PAGE_SHIFT >= LINNET_LARGE_PAGE / 8)
		host_ram_join(page_to_pfn(page));
	memset(page_address(page), 0, count << PAGE_SHIFT);
	split_page(page, order);
	put_pages(page + count, (1 << order) - count);
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
	struct piece piece;
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
	piece = piece_at(vma, address & PAGE_MASK, ptep);
	pte_unmap(ptep);
	if (piece.count == 1)
		return false;

	page = allocate(piece.count);
	if (!page)
		return false;
	if (charge(mm, page, piece.count)) {
		ptep = pte_offset_map_lock(mm, pmd, piece.address, &ptl);
		if (ptep) {
			is_made = !is_at_least(ptep, piece.count, 1) &&
				  !check_stable_address_space(mm);
			if (is_made) {
				enter(vma, piece.address, ptep, page, piece.count);
				tlb_fill(mm, piece.address, ptep, piece.count);
			}
			pte_unmap_unlock(ptep, ptl);
		}
	}
	if (is_made) {
		current->min_flt++;
		count_vm_event(PGFAULT);
	} else {
		put_pages(page, piece.count);
	}
	return is_made;
}

/* Memory in whole large pages begins at one, so that the host maps them as such. */
unsigned long arch_get_unmapped_area_topdown(struct file *file, unsigned long address,
					     unsigned long len, unsigned long pgoff,
					     unsigned long flags, vm_flags_t vm_flags)
{
	vma_flags_t vma_flags = legacy_to_vma_flags(vm_flags);

	if (!file && !address && !(flags & MAP_FIXED) && len && IS_ALIGNED(len, LINNET_LARGE_PAGE) &&
	    len < TASK_SIZE - LINNET_LARGE_PAGE) {
		unsigned long found;

		found = generic_get_unmapped_area_topdown(file, 0, len + LINNET_LARGE_PAGE - PAGE_SIZE, pgoff,
							  flags, vma_flags);
		if (!IS_ERR_VALUE(found))
			return round_up(found, LINNET_LARGE_PAGE);
	}
	return generic_get_unmapped_area_topdown(file, address, len, pgoff, flags, vma_flags);
}
