/* SPDX-License-Identifier: GPL-2.0 */
/* Included before everything else in every C file (HAVE_ARCH_COMPILER_H). */
#ifndef _ASM_WASM_COMPILER_H
#define _ASM_WASM_COMPILER_H

/* Return addresses are not in memory, and clang refuses the builtin. */
#define __builtin_return_address(n)	((void *)(0UL * (n)))

#ifndef __ASSEMBLY__
/* A wasm global: a word of the context of the task that runs. */
#define __wasm_global	__attribute__((address_space(1)))

/*
 * A linker script would say "jiffies = jiffies_64", which wasm-ld cannot. The
 * declaration in <linux/jiffies.h> gets the other's name instead; the lower
 * half comes first.
 */
#define __jiffy_arch_data __jiffies_unused;				\
	extern unsigned long volatile jiffies __asm__("jiffies_64");	\
	extern unsigned long volatile
#endif

#endif
