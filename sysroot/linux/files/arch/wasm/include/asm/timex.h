/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_TIMEX_H
#define _ASM_WASM_TIMEX_H

#include <asm/linnet_abi.h>

typedef unsigned long long cycles_t;

static inline cycles_t get_cycles(void)
{
	return host_clock_monotonic();
}
#define get_cycles get_cycles

#endif
