/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_IO_H
#define _ASM_WASM_IO_H

#include <linux/types.h>
#include <asm/linnet_abi.h>
#include <asm/page.h>

/* Device registers are not in memory: an __iomem pointer is a bus address. */
static inline u8 __raw_readb(const volatile void __iomem *address)
{
	return host_mmio_read((unsigned long)address, 1);
}
#define __raw_readb __raw_readb

static inline u16 __raw_readw(const volatile void __iomem *address)
{
	return host_mmio_read((unsigned long)address, 2);
}
#define __raw_readw __raw_readw

static inline u32 __raw_readl(const volatile void __iomem *address)
{
	return host_mmio_read((unsigned long)address, 4);
}
#define __raw_readl __raw_readl

static inline void __raw_writeb(u8 value, volatile void __iomem *address)
{
	host_mmio_write((unsigned long)address, 1, value);
}
#define __raw_writeb __raw_writeb

static inline void __raw_writew(u16 value, volatile void __iomem *address)
{
	host_mmio_write((unsigned long)address, 2, value);
}
#define __raw_writew __raw_writew

static inline void __raw_writel(u32 value, volatile void __iomem *address)
{
	host_mmio_write((unsigned long)address, 4, value);
}
#define __raw_writel __raw_writel

static inline void __iomem *ioremap(phys_addr_t address, size_t size)
{
	return (void __iomem *)(unsigned long)address;
}
#define ioremap ioremap

static inline void iounmap(volatile void __iomem *address)
{
}
#define iounmap iounmap

/* There are no ports; the generic header wants a place for them. */
#define PCI_IOBASE	((void __iomem *)0xFFFE0000UL)

#include <asm-generic/io.h>

#endif
