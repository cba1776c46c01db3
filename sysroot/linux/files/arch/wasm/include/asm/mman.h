/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_MMAN_H
#define _ASM_WASM_MMAN_H

#include <asm/processor.h>
#include <uapi/asm/mman.h>

/* Not even with a vm.mmap_min_addr of 0. An address of 0 is no address unless it is fixed. */
#define arch_mmap_check(addr, len, flags) \
	((addr) < TASK_START && ((addr) || (flags) & MAP_FIXED) ? -EINVAL : 0)

#endif
