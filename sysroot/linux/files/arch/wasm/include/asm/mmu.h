/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_MMU_H
#define _ASM_WASM_MMU_H

typedef struct {
	unsigned int host_mm;	/* the host's number of the linear memory */
} mm_context_t;

#endif
