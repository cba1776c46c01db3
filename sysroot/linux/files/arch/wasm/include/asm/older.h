/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This architecture is written for the newest Linux that it was built with. Here
 * is what older ones lack; the rest of it is in mm/older.c.
 */
#ifndef _ASM_WASM_OLDER_H
#define _ASM_WASM_OLDER_H

#include <linux/version.h>

#define LINUX_OLDER	(LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0))

#if LINUX_OLDER
#define PAGE_SHIFT	CONFIG_PAGE_SHIFT
#define PAGE_SIZE	(_AC(1, UL) << PAGE_SHIFT)
#define PAGE_MASK	(~((1 << PAGE_SHIFT) - 1))

#define page_to_phys(page)	(page_to_pfn(page) << PAGE_SHIFT)
#define mk_pte(page, prot)	pfn_pte(page_to_pfn(page), prot)
#define ZERO_PAGE(address)	virt_to_page(empty_zero_page)
#define pagetable_dtor(table)	pagetable_pte_dtor(table)
#define vma_flags_t		vm_flags_t
#define legacy_to_vma_flags(flags)	(flags)
#define clear_user_page(page, address, pg)	clear_page(page)

#define ptrace_report_syscall_permit_entry(regs)	(!ptrace_report_syscall_entry(regs))
#define seccomp_permit_syscall()			(!secure_computing())

#ifndef __ASSEMBLY__
extern unsigned long empty_zero_page[];
void paging_init(void);
void arch_zone_limits_init(unsigned long *max_zone_pfn);
#endif

#else
#include <vdso/page.h>

#ifndef __ASSEMBLY__
static inline void paging_init(void)
{
}
#endif
#endif

#endif
