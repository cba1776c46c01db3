/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_ARCHRANDOM_H
#define _ASM_WASM_ARCHRANDOM_H

#include <asm/linnet_abi.h>

static inline size_t __must_check arch_get_random_longs(unsigned long *v,
							size_t max_longs)
{
	return 0;
}

/* The host's generator has been seeded: the guest's is ready when it boots. */
static inline size_t __must_check arch_get_random_seed_longs(unsigned long *v,
							     size_t max_longs)
{
	host_random((unsigned long)v, max_longs * sizeof(*v));
	return max_longs;
}

#endif
