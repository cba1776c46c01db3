/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_BITOPS_H
#define _ASM_WASM_BITOPS_H

#ifndef _LINUX_BITOPS_H
#error only <linux/bitops.h> can be included directly
#endif

#include <linux/compiler.h>
#include <asm/barrier.h>

/* wasm counts leading zeros, trailing zeros and ones in one instruction. */
#include <asm-generic/bitops/builtin-__ffs.h>
#include <asm-generic/bitops/builtin-__fls.h>
#include <asm-generic/bitops/builtin-ffs.h>
#include <asm-generic/bitops/builtin-fls.h>
#include <asm-generic/bitops/ffz.h>

static __always_inline int fls64(__u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#define __arch_hweight8(w)	((unsigned int)__builtin_popcount((u8)(w)))
#define __arch_hweight16(w)	((unsigned int)__builtin_popcount((u16)(w)))
#define __arch_hweight32(w)	((unsigned int)__builtin_popcount(w))
#define __arch_hweight64(w)	((unsigned long)__builtin_popcountll(w))

#include <asm-generic/bitops/const_hweight.h>
#include <asm-generic/bitops/sched.h>
#include <asm-generic/bitops/lock.h>
#include <asm-generic/bitops/atomic.h>
#include <asm-generic/bitops/non-atomic.h>
#include <asm-generic/bitops/le.h>
#include <asm-generic/bitops/ext2-atomic.h>

#endif
