/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_ATOMIC_H
#define _ASM_WASM_ATOMIC_H

#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/cmpxchg.h>

/* An atomic access of wasm traps if it is not aligned. */
typedef struct {
	s64 __aligned(8) counter;
} atomic64_t;

#define ATOMIC64_INIT(i)	{ (i) }

#define arch_atomic_read(v)	READ_ONCE((v)->counter)
#define arch_atomic_set(v, i)	WRITE_ONCE((v)->counter, (i))

/* A plain 64-bit access is one instruction. */
static __always_inline s64 arch_atomic64_read(const atomic64_t *v)
{
	return *(const volatile s64 *)&v->counter;
}

static __always_inline void arch_atomic64_set(atomic64_t *v, s64 i)
{
	*(volatile s64 *)&v->counter = i;
}
#define arch_atomic64_set arch_atomic64_set

#define __ATOMIC_OP(prefix, type, ctype, op)				\
static __always_inline void arch_##prefix##_##op(ctype i, type *v)	\
{									\
	__atomic_fetch_##op(&v->counter, i, __ATOMIC_SEQ_CST);		\
}									\
static __always_inline ctype arch_##prefix##_fetch_##op(ctype i, type *v) \
{									\
	return __atomic_fetch_##op(&v->counter, i, __ATOMIC_SEQ_CST);	\
}

#define __ATOMIC_OP_RETURN(prefix, type, ctype, op)			\
static __always_inline ctype arch_##prefix##_##op##_return(ctype i, type *v) \
{									\
	return __atomic_##op##_fetch(&v->counter, i, __ATOMIC_SEQ_CST);	\
}

#define __ATOMIC_OPS(prefix, type, ctype)				\
	__ATOMIC_OP(prefix, type, ctype, add)				\
	__ATOMIC_OP(prefix, type, ctype, sub)				\
	__ATOMIC_OP(prefix, type, ctype, and)				\
	__ATOMIC_OP(prefix, type, ctype, or)				\
	__ATOMIC_OP(prefix, type, ctype, xor)				\
	__ATOMIC_OP_RETURN(prefix, type, ctype, add)			\
	__ATOMIC_OP_RETURN(prefix, type, ctype, sub)

__ATOMIC_OPS(atomic, atomic_t, int)
__ATOMIC_OPS(atomic64, atomic64_t, s64)

#undef __ATOMIC_OPS
#undef __ATOMIC_OP_RETURN
#undef __ATOMIC_OP

#define arch_atomic_add			arch_atomic_add
#define arch_atomic_sub			arch_atomic_sub
#define arch_atomic_and			arch_atomic_and
#define arch_atomic_or			arch_atomic_or
#define arch_atomic_xor			arch_atomic_xor
#define arch_atomic_add_return		arch_atomic_add_return
#define arch_atomic_sub_return		arch_atomic_sub_return
#define arch_atomic_fetch_add		arch_atomic_fetch_add
#define arch_atomic_fetch_sub		arch_atomic_fetch_sub
#define arch_atomic_fetch_and		arch_atomic_fetch_and
#define arch_atomic_fetch_or		arch_atomic_fetch_or
#define arch_atomic_fetch_xor		arch_atomic_fetch_xor
#define arch_atomic64_add_return	arch_atomic64_add_return
#define arch_atomic64_sub_return	arch_atomic64_sub_return
#define arch_atomic64_fetch_add		arch_atomic64_fetch_add
#define arch_atomic64_fetch_sub		arch_atomic64_fetch_sub
#define arch_atomic64_fetch_and		arch_atomic64_fetch_and
#define arch_atomic64_fetch_or		arch_atomic64_fetch_or
#define arch_atomic64_fetch_xor		arch_atomic64_fetch_xor

#endif
