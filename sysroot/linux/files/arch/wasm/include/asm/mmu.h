/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_MMU_H
#define _ASM_WASM_MMU_H

#include <linux/types.h>

typedef struct {
	unsigned int host_mm;	/* the host's number of the linear memory */
	bool is_loaded;		/* its program was translated on exec */
} mm_context_t;

#endif
