/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_KFENCE_H
#define _ASM_WASM_KFENCE_H

#include <asm/linnet_abi.h>
#include <asm/page.h>

static inline bool arch_kfence_init_pool(void)
{
	return true;
}

/* The only pages outside vmalloc space that are not always mapped. */
static inline bool kfence_protect_page(unsigned long address, bool protect)
{
	if (protect)
		host_tlb_flush(0, address & PAGE_MASK, 1);
	else
		host_tlb_fill(0, address & PAGE_MASK, address >> PAGE_SHIFT, 1,
			      LINNET_PROT_READ | LINNET_PROT_WRITE);
	return true;
}

#endif
