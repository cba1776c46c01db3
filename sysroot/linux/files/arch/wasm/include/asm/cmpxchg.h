/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_CMPXCHG_H
#define _ASM_WASM_CMPXCHG_H

#include <linux/build_bug.h>
#include <linux/types.h>

static __always_inline u64 __xchg(volatile void *p, u64 v, int size)
{
	switch (size) {
	case 1:
		return __atomic_exchange_n((volatile u8 *)p, (u8)v, __ATOMIC_SEQ_CST);
	case 2:
		return __atomic_exchange_n((volatile u16 *)p, (u16)v, __ATOMIC_SEQ_CST);
	case 4:
		return __atomic_exchange_n((volatile u32 *)p, (u32)v, __ATOMIC_SEQ_CST);
	case 8:
		return __atomic_exchange_n((volatile u64 *)p, v, __ATOMIC_SEQ_CST);
	}
	BUILD_BUG();
	return 0;
}

static __always_inline u64 __cmpxchg(volatile void *p, u64 old, u64 new, int size)
{
	switch (size) {
	case 1:
		return __sync_val_compare_and_swap((volatile u8 *)p, (u8)old, (u8)new);
	case 2:
		return __sync_val_compare_and_swap((volatile u16 *)p, (u16)old, (u16)new);
	case 4:
		return __sync_val_compare_and_swap((volatile u32 *)p, (u32)old, (u32)new);
	case 8:
		return __sync_val_compare_and_swap((volatile u64 *)p, old, new);
	}
	BUILD_BUG();
	return 0;
}

/* Between pointers or integers of any size and the 64 bits above. */
#define __cmpxchg_bits(ptr, x)						\
	((u64)__builtin_choose_expr(sizeof(*(ptr)) == 8,		\
		(__typeof__(*(ptr)))(x),				\
		(unsigned long)(__typeof__(*(ptr)))(x)))
#define __cmpxchg_value(ptr, bits)					\
	((__typeof__(*(ptr)))__builtin_choose_expr(sizeof(*(ptr)) == 8,	\
		(u64)(bits), (unsigned long)(bits)))

#define arch_xchg(ptr, x)						\
	__cmpxchg_value(ptr, __xchg((ptr), __cmpxchg_bits(ptr, x), sizeof(*(ptr))))
#define arch_cmpxchg(ptr, old, new)					\
	__cmpxchg_value(ptr, __cmpxchg((ptr), __cmpxchg_bits(ptr, old),	\
				       __cmpxchg_bits(ptr, new), sizeof(*(ptr))))
#define arch_cmpxchg_local	arch_cmpxchg
#define arch_cmpxchg64		arch_cmpxchg
#define arch_cmpxchg64_local	arch_cmpxchg

#endif
