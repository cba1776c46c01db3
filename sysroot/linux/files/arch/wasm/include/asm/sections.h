/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_SECTIONS_H
#define _ASM_WASM_SECTIONS_H

#include <asm-generic/sections.h>

/* For %pS: the host knows the names of functions. */
bool arch_sprint_symbol(char *buffer, size_t size, unsigned long pointer);
#define arch_sprint_symbol arch_sprint_symbol

#endif
