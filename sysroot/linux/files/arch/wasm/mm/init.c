// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <asm/linnet_abi.h>

pgd_t swapper_pg_dir[PTRS_PER_PGD] __page_aligned_bss;

void __init arch_zone_limits_init(unsigned long *max_zone_pfn)
{
	/*
	 * Page descriptors, and hash tables that are about as large, come next, at
	 * the end of memory.
	 */
	unsigned long large = DIV_ROUND_CLOSEST(2 * max_low_pfn * sizeof(struct page), LINNET_LARGE_PAGE);

	for (; large; large--)
		host_ram_join(max_low_pfn - large * (LINNET_LARGE_PAGE >> PAGE_SHIFT));
	max_zone_pfn[ZONE_NORMAL] = max_low_pfn;
}

/* What is for boot only does not lie together: see kernel/sections.h. */
void free_initmem(void)
{
}

static const pgprot_t protection_map[16] = {
	[VM_NONE]					= PAGE_NONE,
	[VM_READ]					= PAGE_READONLY,
	[VM_WRITE]					= PAGE_COPY,
	[VM_WRITE | VM_READ]				= PAGE_COPY,
	[VM_EXEC]					= PAGE_READONLY_X,
	[VM_EXEC | VM_READ]				= PAGE_READONLY_X,
	[VM_EXEC | VM_WRITE]				= PAGE_COPY_X,
	[VM_EXEC | VM_WRITE | VM_READ]			= PAGE_COPY_X,
	[VM_SHARED]					= PAGE_NONE,
	[VM_SHARED | VM_READ]				= PAGE_READONLY,
	[VM_SHARED | VM_WRITE]				= PAGE_SHARED,
	[VM_SHARED | VM_WRITE | VM_READ]		= PAGE_SHARED,
	[VM_SHARED | VM_EXEC]				= PAGE_READONLY_X,
	[VM_SHARED | VM_EXEC | VM_READ]			= PAGE_READONLY_X,
	[VM_SHARED | VM_EXEC | VM_WRITE]		= PAGE_SHARED_X,
	[VM_SHARED | VM_EXEC | VM_WRITE | VM_READ]	= PAGE_SHARED_X,
};
DECLARE_VM_GET_PAGE_PROT
