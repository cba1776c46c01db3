/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_CONSOLE_H
#define _ASM_WASM_CONSOLE_H

/* The host's stream that the console writes to. */
extern unsigned int console_stream;

#endif
