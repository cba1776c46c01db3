/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_IRQ_H
#define _ASM_WASM_IRQ_H

#include <asm/linnet_abi.h>

/* The number of an interrupt is that of its bit in the pending word. */
#define IRQ_OF_LINE(line)	(LINNET_IRQ_DEVICE_SHIFT + (line))
#define NR_IRQS			IRQ_OF_LINE(LINNET_IRQ_DEVICE_LINES)

#ifndef __ASSEMBLY__
static inline int irq_canonicalize(int irq)
{
	return irq;
}
#endif

#endif
