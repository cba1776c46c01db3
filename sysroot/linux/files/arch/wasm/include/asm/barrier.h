/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_BARRIER_H
#define _ASM_WASM_BARRIER_H

#ifndef __ASSEMBLY__
#include <asm/linnet_abi.h>

/*
 * wasm has one fence, and it orders everything. The weaker ones are imports
 * that the translator replaces by what the host's CPU needs, often nothing.
 */
#define mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb()	host_smp_rmb()
#define wmb()	host_smp_wmb()

#define __smp_mb()	mb()
#define __smp_rmb()	rmb()
#define __smp_wmb()	wmb()

/* Read-modify-write instructions order everything. */
#define __smp_mb__before_atomic()	barrier()
#define __smp_mb__after_atomic()	barrier()

#define __smp_store_release(p, v)					\
do {									\
	compiletime_assert_atomic_type(*p);				\
	host_smp_release();						\
	WRITE_ONCE(*p, v);						\
} while (0)

#define __smp_load_acquire(p)						\
({									\
	__unqual_scalar_typeof(*p) ___p1 = READ_ONCE(*p);		\
	compiletime_assert_atomic_type(*p);				\
	host_smp_acquire();						\
	(typeof(*p))___p1;						\
})

#define nop()	barrier()

#include <asm-generic/barrier.h>
#endif

#endif
