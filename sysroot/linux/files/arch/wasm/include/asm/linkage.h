/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_LINKAGE_H
#define _ASM_WASM_LINKAGE_H

/* The address of a label does not exist. */
#define _THIS_IP_	0UL

#define __ALIGN		.p2align 0
#define __ALIGN_STR	".p2align 0"

#endif
