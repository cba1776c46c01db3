/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_BUG_H
#define _ASM_WASM_BUG_H

#ifndef __ASSEMBLY__
void __bug(const char *file, int line, const char *function) __attribute__((__noreturn__, __cold__));

#define BUG()	__bug(__FILE__, __LINE__, __func__)
#define HAVE_ARCH_BUG
#endif

#include <asm-generic/bug.h>

#endif
