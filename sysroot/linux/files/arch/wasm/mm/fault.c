// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/perf_event.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <asm/fault.h>
#include <asm/populate.h>

/*
 * Without a lock on the mm a table may go away under the walker. It is freed
 * only after every vCPU has taken an interrupt, and there is none before the
 * lock is held; from then on an entry that is there keeps its table.
 */
pte_t *user_pte_lock(unsigned long address, bool write, spinlock_t **ptl)
{
	struct mm_struct *mm = current->mm;
	unsigned long flags;
	pte_t *ptep = NULL;
	pmd_t *pmd;
	pte_t pte;

	if (unlikely(!mm || !is_user_address(address)))
		return NULL;
	local_irq_save(flags);
	pmd = pmd_off(mm, address);
	if (!pmd_none(READ_ONCE(*pmd)))
		ptep = pte_offset_map_lock(mm, pmd, address, ptl);
	local_irq_restore(flags);
	if (unlikely(!ptep))
		return NULL;
	pte = READ_ONCE(*ptep);
	if (likely(pte_user(pte) && (!write || pte_write(pte))))
		return ptep;
	pte_unmap_unlock(ptep, *ptl);
	return NULL;
}

static bool access_allowed(struct vm_area_struct *vma, bool write)
{
	return vma->vm_flags & (write ? VM_WRITE : VM_READ | VM_EXEC | VM_WRITE);
}

struct fault_result {
	int signal;	/* 0: try the access again */
	int code;
};

static const struct fault_result retry_access = { };

static struct fault_result fault_error(vm_fault_t fault)
{
	if (fault & VM_FAULT_OOM) {
		pagefault_out_of_memory();
		return retry_access;
	}
	if (fault & (VM_FAULT_SIGBUS | VM_FAULT_HWPOISON))
		return (struct fault_result) { SIGBUS, BUS_ADRERR };
	return (struct fault_result) { SIGSEGV, SEGV_MAPERR };
}

/* regs: of the user code that faulted, or NULL if it was the kernel. */
static bool interrupted(vm_fault_t fault, struct pt_regs *regs)
{
	if (regs)
		return fault_signal_pending(fault, regs);
	return fault & VM_FAULT_RETRY && fatal_signal_pending(current);
}

static struct fault_result fault_locked(struct mm_struct *mm, unsigned long address,
					unsigned int flags, struct pt_regs *regs)
{
	bool write = flags & FAULT_FLAG_WRITE;
	struct vm_area_struct *vma;
	vm_fault_t fault = 0;

	for (;;) {
		vma = lock_mm_and_find_vma(mm, address, regs);
		if (!vma)
			return (struct fault_result) { SIGSEGV, SEGV_MAPERR };
		if (!access_allowed(vma, write)) {
			mmap_read_unlock(mm);
			return (struct fault_result) { SIGSEGV, SEGV_ACCERR };
		}
		if (write && populate_ahead(vma, address))
			break;
		fault = handle_mm_fault(vma, address, flags, regs);
		if (fault & VM_FAULT_COMPLETED || interrupted(fault, regs))
			return retry_access;
		if (!(fault & VM_FAULT_RETRY))
			break;
		flags |= FAULT_FLAG_TRIED;
	}
	mmap_read_unlock(mm);
	return fault & VM_FAULT_ERROR ? fault_error(fault) : retry_access;
}

#ifdef CONFIG_PER_VMA_LOCK
/* Returns false if the whole mm must be locked. */
static bool fault_one_vma(struct mm_struct *mm, unsigned long address, unsigned int flags,
			  struct pt_regs *regs, struct fault_result *result)
{
	struct vm_area_struct *vma = lock_vma_under_rcu(mm, address);
	vm_fault_t fault;

	if (!vma)
		return false;
	if (!access_allowed(vma, flags & FAULT_FLAG_WRITE)) {
		vma_end_read(vma);
		*result = (struct fault_result) { SIGSEGV, SEGV_ACCERR };
		return true;
	}
	if (flags & FAULT_FLAG_WRITE && populate_ahead(vma, address)) {
		vma_end_read(vma);
		*result = retry_access;
		return true;
	}
	fault = handle_mm_fault(vma, address, flags | FAULT_FLAG_VMA_LOCK, regs);
	if (!(fault & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)))
		vma_end_read(vma);
	if (fault & VM_FAULT_RETRY && !interrupted(fault, regs))
		return false;
	*result = retry_access;
	if (!(fault & VM_FAULT_RETRY) && fault & VM_FAULT_ERROR)
		*result = fault_error(fault);
	return true;
}
#else
static bool fault_one_vma(struct mm_struct *mm, unsigned long address, unsigned int flags,
			  struct pt_regs *regs, struct fault_result *result)
{
	return false;
}
#endif

static struct fault_result fault_in(unsigned long address, bool write, struct pt_regs *regs)
{
	struct mm_struct *mm = current->mm;
	unsigned int flags = FAULT_FLAG_DEFAULT | (write ? FAULT_FLAG_WRITE : 0);
	struct fault_result result;

	if (!mm || faulthandler_disabled() || !is_user_address(address))
		return (struct fault_result) { SIGSEGV, SEGV_MAPERR };
	perf_sw_event(PERF_COUNT_SW_PAGE_FAULTS, 1, regs, address);
	if (regs) {
		flags |= FAULT_FLAG_USER;
		if (fault_one_vma(mm, address, flags, regs, &result))
			return result;
	}
	return fault_locked(mm, address, flags, regs);
}

/* The page may be there already and only not in the TLB. */
static bool refill(unsigned long address, bool write)
{
	spinlock_t *ptl;
	pte_t *ptep = user_pte_lock(address, write, &ptl);
	pte_t pte, used;

	if (!ptep)
		return false;
	pte = READ_ONCE(*ptep);
	used = pte_mkyoung(pte);
	if (write)
		used = pte_mkdirty(used);
	set_pte(ptep, used);
	if (pte_dirty(used) && !pte_dirty(pte))
		tlb_allow_write(current->mm, address & PAGE_MASK, ptep);
	else
		tlb_fill(current->mm, address & PAGE_MASK, ptep, 1);
	pte_unmap_unlock(ptep, ptl);
	return true;
}

void handle_user_fault(unsigned long address, bool write, struct pt_regs *regs)
{
	struct fault_result result;

	if (refill(address, write))
		return;
	result = fault_in(address, write, regs);
	if (result.signal)
		force_sig_fault(result.signal, result.code, (void __user *)address);
}

bool fault_in_user_page(unsigned long address, bool write)
{
	return !fault_in(address, write, NULL).signal && !fatal_signal_pending(current);
}
