// SPDX-License-Identifier: GPL-2.0
/*
 * The host's mappings are a TLB over the page tables: filled under the lock of
 * the table, so that whoever changes an entry and then flushes leaves nothing
 * stale behind.
 */
#include <linux/kfence.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/pgtable.h>
#include <linux/ptrace.h>
#include <linux/sched/task_stack.h>
#include <linux/unaligned.h>
#include <asm/cacheflush.h>
#include <asm/fault.h>
#include <asm/linnet_abi.h>
#include <asm/tlbflush.h>
#include <asm/word-at-a-time.h>

int init_new_context(struct task_struct *task, struct mm_struct *mm)
{
	if (current->mm)
		current_pt_regs()->sp = host_user_sp(0);
	mm->context.host_mm = host_mm_new();
	return mm->context.host_mm ? 0 : -ENOMEM;
}

/*
 * What is written to right after fork: the stack, and libc's variables of the
 * thread. Other threads may be writing to the latter while it is copied.
 */
static unsigned long page_at_fork(unsigned int n)
{
	unsigned long address = n ? (unsigned long)current->clear_child_tid : current_pt_regs()->sp;

	return address & PAGE_MASK;
}

bool arch_copies_at_fork(struct vm_area_struct *vma, unsigned long address)
{
	return (address == page_at_fork(0) || address == page_at_fork(1)) &&
	       atomic_read(&vma->vm_mm->mm_users) == 1;
}

void tlb_expect(struct mm_struct *mm, unsigned long address)
{
	pmd_t *pmd = pmd_off(mm, address);
	spinlock_t *ptl;
	pte_t *ptep;

	if (!is_user_address(address) || pmd_none(READ_ONCE(*pmd)))
		return;
	ptep = pte_offset_map_lock(mm, pmd, address, &ptl);
	if (!ptep)
		return;
	if (pte_present(*ptep))
		tlb_fill(mm, address & PAGE_MASK, ptep, 1);
	pte_unmap_unlock(ptep, ptl);
}

int arch_dup_mmap(struct mm_struct *from, struct mm_struct *to)
{
	tlb_expect(to, page_at_fork(0));
	if (page_at_fork(1) != page_at_fork(0))
		tlb_expect(to, page_at_fork(1));
	return 0;
}

void destroy_context(struct mm_struct *mm)
{
	if (mm->context.host_mm)
		host_mm_free(mm->context.host_mm);
}

/* Protection in the TLB, or 0 if the page must not be in it. */
static unsigned int tlb_prot(pte_t pte)
{
	if (!pte_user(pte) || !pte_young(pte))
		return 0;
	/* The first store to a clean page faults, which makes it dirty. */
	if (pte_write(pte) && pte_dirty(pte))
		return LINNET_PROT_READ | LINNET_PROT_WRITE;
	return LINNET_PROT_READ;
}

/*
 * One host call for each run of pages that lie together and have one protection.
 * `same` is LINNET_PROT_SAME if they are what the TLB had before, if anything.
 */
static void fill(struct mm_struct *mm, unsigned long address, pte_t *ptep, unsigned int count,
		 unsigned int same)
{
	while (count) {
		pte_t pte = READ_ONCE(*ptep);
		unsigned long pfn = pte_pfn(pte);
		unsigned int prot = tlb_prot(pte);
		unsigned int run = 1;

		while (run < count) {
			pte_t next = READ_ONCE(ptep[run]);

			if (tlb_prot(next) != prot || pte_pfn(next) != pfn + run)
				break;
			run++;
		}
		if (prot)
			host_tlb_fill(mm->context.host_mm, address, pfn, run, prot | same);
		address += run << PAGE_SHIFT;
		ptep += run;
		count -= run;
	}
}

void tlb_fill(struct mm_struct *mm, unsigned long address, pte_t *ptep, unsigned int count)
{
	fill(mm, address, ptep, count, 0);
}

void tlb_allow_write(struct mm_struct *mm, unsigned long address, pte_t *ptep)
{
	fill(mm, address, ptep, 1, LINNET_PROT_SAME);
}

/* Was that page there before the fault? */
static bool is_same(const struct vm_fault *vmf, pte_t pte)
{
	return vmf && vmf->flags & FAULT_FLAG_ORIG_PTE_VALID && pte_present(vmf->orig_pte) &&
	       pte_pfn(vmf->orig_pte) == pte_pfn(pte);
}

void update_mmu_cache_range(struct vm_fault *vmf, struct vm_area_struct *vma,
			    unsigned long address, pte_t *ptep, unsigned int nr)
{
	address &= PAGE_MASK;
	/* Who reaches into another memory, or prepares one for exec, runs no code there. */
	if (vma->vm_mm != current->mm)
		host_tlb_flush(vma->vm_mm->context.host_mm, address, nr);
	else if (nr == 1 && is_same(vmf, *ptep))
		tlb_allow_write(vma->vm_mm, address, ptep);
	else
		tlb_fill(vma->vm_mm, address, ptep, nr);
}

static void protect_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	unsigned long run = 0, address;

	for (address = start; address < end; address += PAGE_SIZE) {
		pmd_t *pmd = pmd_off(mm, address);
		bool mapped = false;

		if (!pmd_none(READ_ONCE(*pmd)))
			mapped = tlb_prot(READ_ONCE(*pte_offset_kernel(pmd, address))) == LINNET_PROT_READ;
		if (mapped) {
			run++;
			continue;
		}
		if (run)
			host_tlb_protect(mm->context.host_mm, address - run * PAGE_SIZE, run);
		run = 0;
		if (pmd_none(READ_ONCE(*pmd)))
			address = pmd_addr_end(address, end) - PAGE_SIZE;
	}
	if (run)
		host_tlb_protect(mm->context.host_mm, end - run * PAGE_SIZE, run);
}

/*
 * Called by dup_mmap() alone, with the mm locked, after it has made private
 * pages read-only. Their mappings stay: the parent goes on reading them.
 */
void flush_tlb_mm(struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;

	for_each_vma(vmi, vma)
		if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
			protect_range(mm, vma->vm_start, vma->vm_end);
}

/* The kernel's own memory: everything but vmalloc space is mapped for good. */
static pte_t *vmalloc_pte(unsigned long address)
{
	pmd_t *pmd = pmd_off_k(address);
	pte_t *ptep;

	if (address < VMALLOC_START || address >= VMALLOC_END || pmd_none(READ_ONCE(*pmd)))
		return NULL;
	ptep = pte_offset_kernel(pmd, address);
	return pte_present(READ_ONCE(*ptep)) ? ptep : NULL;
}

static void vmalloc_fill(unsigned long address, pte_t pte, unsigned int count)
{
	host_tlb_fill(0, address, pte_pfn(pte), count,
		      LINNET_PROT_READ | (pte_write(pte) ? LINNET_PROT_WRITE : 0));
}

void vmalloc_map(unsigned long start, unsigned long end)
{
	while (start < end) {
		pte_t *ptep = vmalloc_pte(start);
		unsigned int run = 1;

		if (ptep) {
			while (start + (run << PAGE_SHIFT) < end) {
				pte_t *next = vmalloc_pte(start + (run << PAGE_SHIFT));

				if (!next || pte_pfn(*next) != pte_pfn(*ptep) + run ||
				    pte_write(*next) != pte_write(*ptep))
					break;
				run++;
			}
			vmalloc_fill(start, *ptep, run);
		}
		start += run << PAGE_SHIFT;
	}
}

bool handle_kernel_fault(unsigned long address, bool write)
{
	pte_t *ptep = vmalloc_pte(address);

	if (!ptep || (write && !pte_write(*ptep)))
		return kfence_handle_page_fault(address, write, current_pt_regs());
	vmalloc_fill(address & PAGE_MASK, *ptep, 1);
	return true;
}

void flush_tlb_kernel_range(unsigned long start, unsigned long end)
{
	start = max(start, VMALLOC_START);
	end = min(end, VMALLOC_END);
	if (start < end)
		host_tlb_flush(0, start, (end - start) >> PAGE_SHIFT);
}

void flush_tlb_all(void)
{
	flush_tlb_kernel_range(VMALLOC_START, VMALLOC_END);
}

bool kernel_address_mapped(const void *address, size_t size)
{
	unsigned long start = (unsigned long)address;
	unsigned long last = start + size - 1;

	if (last < start)
		return false;
	if (start >= PAGE_ALIGN(SZ_64K) && last < (unsigned long)high_memory)
		return true;
	return vmalloc_pte(start) && vmalloc_pte(last);
}
EXPORT_SYMBOL(kernel_address_mapped);

/* The debugger of the allocator has no page behind that of an object. */
unsigned long load_across_pages(const void *address)
{
	unsigned long offset = (unsigned long)address % sizeof(unsigned long);

	if (!is_kfence_address(address) && kernel_address_mapped(address, sizeof(unsigned long)))
		return get_unaligned((const unsigned long *)address);
	return *(const unsigned long *)(address - offset) >> (offset * BITS_PER_BYTE);
}
EXPORT_SYMBOL(load_across_pages);
