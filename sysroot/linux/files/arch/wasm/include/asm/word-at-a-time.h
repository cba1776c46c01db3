/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_WORD_AT_A_TIME_H
#define _ASM_WASM_WORD_AT_A_TIME_H

#include <linux/unaligned.h>
#include <asm/page.h>
#include <asm-generic/word-at-a-time.h>

/* See mm/tlb.c. */
unsigned long load_across_pages(const void *address);

/* A word of the kernel's memory, with zeros for what lies in a page that is not there. */
static inline unsigned long load_unaligned_zeropad(const void *address)
{
	if (unlikely(((unsigned long)address & ~PAGE_MASK) > PAGE_SIZE - sizeof(unsigned long)))
		return load_across_pages(address);
	return get_unaligned((const unsigned long *)address);
}

#endif
