/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_SPINLOCK_H
#define _ASM_WASM_SPINLOCK_H

#include <asm/processor.h>

/*
 * Test and set. The locks are not fair because vCPUs are threads of the host:
 * a queue would wait for those that do not run.
 */
static __always_inline int arch_spin_is_locked(arch_spinlock_t *lock)
{
	return READ_ONCE(lock->locked);
}

static __always_inline int arch_spin_value_unlocked(arch_spinlock_t lock)
{
	return !lock.locked;
}

#define arch_spin_is_contended(lock)	0

static __always_inline int arch_spin_trylock(arch_spinlock_t *lock)
{
	return !__atomic_exchange_n(&lock->locked, 1, __ATOMIC_SEQ_CST);
}

void arch_spin_lock_contended(arch_spinlock_t *lock);

static __always_inline void arch_spin_lock(arch_spinlock_t *lock)
{
	if (unlikely(!arch_spin_trylock(lock)))
		arch_spin_lock_contended(lock);
}

static __always_inline void arch_spin_unlock(arch_spinlock_t *lock)
{
	smp_store_release(&lock->locked, 0);
}

#include <asm/qrwlock.h>

#endif
