/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_CONSOLE_H
#define _ASM_WASM_CONSOLE_H

#include <linux/types.h>

/* The host's stream that the console writes to. */
extern unsigned int console_stream;

/* Whether the console reads the host's standard input. */
extern bool console_has_input;

#endif
