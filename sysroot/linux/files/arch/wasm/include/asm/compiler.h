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
 * A linker script would say "jiffies = jiffies_64", which wasm-ld cannot: what
 * <linux/jiffies.h> declares gets the other's name. The lower half comes first.
 */
#pragma redefine_extname jiffies jiffies_64
#endif

#endif
