// SPDX-License-Identifier: GPL-2.0
/* See asm/older.h. */
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <asm/older.h>

#if LINUX_OLDER
unsigned long empty_zero_page[PAGE_SIZE / sizeof(unsigned long)] __page_aligned_bss;
EXPORT_SYMBOL(empty_zero_page);

void __init paging_init(void)
{
	unsigned long max_zone_pfn[MAX_NR_ZONES] = { };

	arch_zone_limits_init(max_zone_pfn);
	free_area_init(max_zone_pfn);
}

void __init mem_init(void)
{
	set_max_mapnr(max_low_pfn);
	memblock_free_all();
}
#endif
