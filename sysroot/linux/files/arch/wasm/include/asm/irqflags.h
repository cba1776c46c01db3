/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_IRQFLAGS_H
#define _ASM_WASM_IRQFLAGS_H

#ifndef __ASSEMBLY__
#include <linux/compiler.h>
#include <asm/current.h>
#include <asm/linnet_abi.h>
#include <asm/thread_info.h>

#define ARCH_IRQ_DISABLED	0UL
#define ARCH_IRQ_ENABLED	1UL

/*
 * Interrupts are polled: they come where the flag is set, where a spin loop
 * relaxes and where the kernel is left, and nowhere else. Two things follow.
 * Plain instructions are never interrupted, and the flag may belong to the task
 * although it stands for the vCPU, because it is always clear in a switch.
 */
extern unsigned long __wasm_global irq_flag;

struct linnet_pending {
	volatile unsigned int bits;
} __attribute__((aligned(LINNET_IRQ_STRIDE)));

/* One word per vCPU, in which its interrupts are requested. */
extern struct linnet_pending linnet_pending[];

static __always_inline bool irq_is_pending(void)
{
	struct thread_info *info = (struct thread_info *)current_task;

	return unlikely(linnet_pending[info->cpu].bits);
}

/* Handles what is pending, with the flag clear; leaves it set. */
void irq_deliver(void);

static __always_inline unsigned long arch_local_save_flags(void)
{
	return irq_flag;
}

static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	barrier();
	irq_flag = flags;
	if (flags && irq_is_pending())
		irq_deliver();
}

#include <asm-generic/irqflags.h>
#endif

#endif
