/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_CACHEFLUSH_H
#define _ASM_WASM_CACHEFLUSH_H

/* Maps vmalloc space into the kernel's linear memory. */
void vmalloc_map(unsigned long start, unsigned long end);

#define flush_cache_vmap(start, end)		vmalloc_map(start, end)
#define flush_cache_vmap_early(start, end)	vmalloc_map(start, end)

#include <asm-generic/cacheflush.h>

#endif
